import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What ended before results were kept is told by its reason: the rule's own words, "finished, exit N". */
const CHANGES = `
alter table sessions
  add column tag text,
  add column starts_at timestamptz(3),
  add column batch_timeout_ms float8 check (batch_timeout_ms > 0),
  add column retry boolean not null default false,
  add column result text check (result in ('success', 'failure'));

update sessions set ending = (ending::jsonb || '{"finished": true}')::json
where type = 'batch' and state = 'terminated' and reason like 'finished, exit %';
update sessions set result = case when reason = 'finished, exit 0' then 'success' else 'failure' end
where type = 'batch' and state in ('terminated', 'error');

create table session_dependencies (
  session_id uuid not null references sessions on delete cascade,
  depends_on uuid not null references sessions on delete cascade check (depends_on <> session_id),
  primary key (session_id, depends_on)
);
create index session_dependencies_reverse on session_dependencies (depends_on);
`;

export const batchMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(CHANGES).execute(db);
  },
};
