import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What an image declares is known only once it has been pulled. */
export const imagePortsMigration: Migration = {
  async up(db) {
    await sql`alter table sessions add column image_ports json`.execute(db);
  },
};
