import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What a session has used, and the image that is made of it. */
export const statisticsMigration: Migration = {
  async up(db) {
    await sql`alter table sessions add column statistics json, add column commit json`.execute(db);
  },
};
