import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Sessions of several containers: what was seen of those beside main1, and a log of each. */
const CHANGES = `
alter table sessions add column subs json not null default '[]';

alter table session_logs add column container text not null default 'main1';
alter table session_logs alter column container drop default;
alter table session_logs drop constraint session_logs_pkey;
alter table session_logs add primary key (session_id, container, generation);
`;

export const clustersMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(CHANGES).execute(db);
  },
};
