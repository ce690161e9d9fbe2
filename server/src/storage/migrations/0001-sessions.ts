import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Documents are `json`, not `jsonb`: what programs print may hold \u0000, which jsonb refuses. */
const TABLES = `
create table installation (
  only_one boolean primary key default true check (only_one),
  id uuid not null default gen_random_uuid(),
  created_at timestamptz(3) not null default now()
);
insert into installation default values;

create table domains (
  name text primary key,
  created_at timestamptz(3) not null default now()
);
insert into domains (name) values ('default');

create table users (
  id uuid primary key,
  domain text not null default 'default' references domains,
  name text not null check (name ~ '^[a-z][a-z0-9_-]{0,31}$'),
  role text not null check (role in ('admin', 'user')),
  disabled boolean not null default false,
  created_at timestamptz(3) not null default now(),
  constraint users_name unique (domain, name)
);

create table projects (
  id uuid primary key default uuidv7(),
  domain text not null default 'default' references domains,
  name text not null,
  personal_of uuid unique references users,
  created_at timestamptz(3) not null default now(),
  constraint projects_name unique (domain, name)
);

create table memberships (
  project_id uuid not null references projects on delete cascade,
  user_id uuid not null references users on delete cascade,
  role text not null check (role in ('viewer', 'editor', 'owner')),
  primary key (project_id, user_id)
);
create index memberships_user on memberships (user_id);

create table sessions (
  id uuid primary key,
  name text not null,
  owner_id uuid not null references users,
  project_id uuid not null references projects,
  type text not null check (type in ('interactive', 'batch')),
  spec json not null,
  client_token text,
  request_hash text not null,
  revision integer not null check (revision >= 1),
  wanted text not null check (wanted in ('running', 'paused', 'terminated')),
  wish integer not null check (wish >= 1),
  restart_wish integer not null,
  state text not null check (state in ('pending', 'scheduled', 'pulling', 'preparing', 'running', 'pausing', 'paused',
    'restarting', 'terminating', 'terminated', 'cancelled', 'error')),
  state_since timestamptz(3) not null,
  reason text not null,
  restart_served integer not null,
  generation integer not null check (generation >= 0),
  attempts integer not null check (attempts >= 0),
  granted json,
  image_digest text,
  process_started_at timestamptz,
  frozen boolean not null,
  will_stop_at timestamptz(3),
  ending json,
  logs_kept boolean not null,
  waiting json,
  timeline json not null,
  restarts integer not null check (restarts >= 0),
  last_log json not null,
  created_at timestamptz(3) not null,
  started_at timestamptz(3),
  ended_at timestamptz(3),
  next_look_at timestamptz,
  woken boolean not null default false,
  constraint sessions_client_token unique (owner_id, client_token),
  constraint sessions_restarts check (0 <= restart_served and restart_served <= restart_wish and restart_wish <= wish),
  constraint sessions_ended check ((state in ('terminated', 'cancelled', 'error')) = (ended_at is not null)),
  constraint sessions_ended_rest check (ended_at is null or (next_look_at is null and not woken)),
  constraint sessions_placed check (state not in ('scheduled', 'pulling', 'preparing', 'running', 'pausing', 'restarting') or granted is not null)
);
create unique index sessions_live_name on sessions (owner_id, name) where ended_at is null;
create index sessions_due on sessions (next_look_at) where next_look_at is not null;
create index sessions_live on sessions (state, created_at) where ended_at is null;
create index sessions_owner on sessions (owner_id, id);
create index sessions_name on sessions (name);

create table session_events (
  xid xid8 not null default pg_current_xact_id(),
  id bigint generated always as identity,
  session_id uuid not null references sessions on delete cascade,
  owner_id uuid not null,
  at timestamptz(3) not null default clock_timestamp(),
  kind text not null check (kind in ('created', 'requested', 'state', 'progress', 'waiting', 'notice')),
  state text not null,
  message text not null,
  primary key (xid, id)
);
create index session_events_session on session_events (session_id, xid, id);
create index session_events_owner on session_events (owner_id, xid, id);

create table session_logs (
  session_id uuid primary key references sessions on delete cascade,
  log bytea not null
);

create table tokens (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  name text not null,
  prefix text not null,
  hash text not null unique check (hash ~ '^[0-9a-f]{64}$'),
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3)
);
create index tokens_user on tokens (user_id, id);

create table quarantine (
  session_id text not null,
  generation integer not null,
  container text not null,
  first_seen timestamptz(3) not null,
  stopped_at timestamptz(3),
  primary key (session_id, generation, container)
);
`;

export const sessionsMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(TABLES).execute(db);
  },
};
