import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** A row stays when its storage is gone: a repeated request finds it. The name is free as soon as the deletion was asked for. */
const STORAGES = `
create table storages (
  id uuid primary key,
  name text not null,
  owner_id uuid not null references users,
  project_id uuid not null references projects,
  client_token text,
  created_at timestamptz(3) not null default now(),
  deleted_at timestamptz(3),
  removed_at timestamptz(3),
  trouble text not null default '',
  constraint storages_client_token unique (owner_id, client_token),
  constraint storages_removed check (removed_at is null or deleted_at is not null)
);
create unique index storages_live_name on storages (owner_id, name) where deleted_at is null;
create index storages_owner on storages (owner_id, id) where removed_at is null;
create index storages_due on storages (deleted_at) where deleted_at is not null and removed_at is null;
`;

export const storagesMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(STORAGES).execute(db);
  },
};
