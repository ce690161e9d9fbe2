import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The secret of a key pair has to be read again to check signatures: it is encrypted with a key that is not in the database. */
export const keypairsMigration: Migration = {
  async up(db) {
    await sql`
      create table keypairs (
        id uuid primary key,
        user_id uuid not null references users on delete cascade,
        name text not null,
        access_key text not null unique check (access_key ~ '^AKIA[A-Z2-7]{16}$'),
        sealed_secret bytea not null,
        created_at timestamptz(3) not null default now(),
        last_used_at timestamptz(3),
        revoked_at timestamptz(3)
      )`.execute(db);
    await sql`create index keypairs_user on keypairs (user_id, id)`.execute(db);
  },
};
