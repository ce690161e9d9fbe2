import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Whom a session's life is told to, and up to which of its events that is done; and images that are made of sessions are found by their ids. */
const CHANGES = `
create table session_callbacks (
  session_id uuid primary key references sessions on delete cascade,
  owner_id uuid not null,
  url text not null,
  target text not null,
  told_xid xid8 not null default '0',
  told_id bigint not null default 0,
  done boolean not null default false,
  claim uuid,
  claimed_until timestamptz,
  last_status integer,
  last_problem text,
  last_at timestamptz(3),
  failures integer not null default 0 check (failures >= 0)
);
create index session_callbacks_open on session_callbacks (session_id) where not done;
create index sessions_commit on sessions ((commit->>'id')) where commit is not null;
`;

export const callbacksMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(CHANGES).execute(db);
  },
};
