import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Counted in memory and added now and then: no question about a session costs a write. */
export const sessionUsesMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table sessions add column uses integer not null default 0, add column executed_at timestamptz(3)`.execute(db);
  },
};
