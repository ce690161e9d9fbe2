import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** In a cluster each generation of a session is a container of its own, with its own log. */
export const logGenerationsMigration: Migration = {
  async up(db) {
    await sql`alter table session_logs add column generation integer not null default 1`.execute(db);
    await sql`alter table session_logs alter column generation drop default`.execute(db);
    await sql`alter table session_logs drop constraint session_logs_pkey`.execute(db);
    await sql`alter table session_logs add primary key (session_id, generation)`.execute(db);
  },
};
