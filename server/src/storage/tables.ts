import type { Commit } from '../domain/sessions/commit.ts';
import type { KeptStatistics } from '../domain/sessions/statistics.ts';
import type { Ending, Grant, SessionSpec, SessionState, SubRecord, WaitingFor, Wanted } from '../domain/sessions/session.ts';
import type { NewEvent } from '../domain/sessions/session-store.ts';
import type { BatchResult, LaunchStep, ServicePort } from '@berth/contract';
import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from 'kysely';

/** A JSON document: read parsed, written as text. */
type Document<T> = ColumnType<T, string, string>;

export interface InstallationTable {
  id: Generated<string>;
  created_at: Generated<Date>;
}

export interface UsersTable {
  id: string;
  domain: Generated<string>;
  name: string;
  role: 'admin' | 'user';
  disabled: Generated<boolean>;
  created_at: Generated<Date>;
}

export interface ProjectsTable {
  id: Generated<string>;
  domain: Generated<string>;
  name: string;
  /** Set on a user's own project, made with her. */
  personal_of: string | null;
  created_at: Generated<Date>;
}

export interface MembershipsTable {
  project_id: string;
  user_id: string;
  role: 'viewer' | 'editor' | 'owner';
}

export interface StoragesTable {
  id: string;
  name: string;
  owner_id: string;
  project_id: string;
  client_token: string | null;
  created_at: Generated<Date>;
  /** Its deletion was asked for: the name is free, and nothing may mount it. */
  deleted_at: Date | null;
  /** Nothing of it is left. */
  removed_at: Date | null;
  /** What keeps it from going, for people. */
  trouble: Generated<string>;
}

export interface SessionsTable {
  id: string;
  name: string;
  owner_id: string;
  project_id: string;
  type: 'interactive' | 'batch';
  spec: Document<SessionSpec>;
  tag: string | null;
  starts_at: Date | null;
  batch_timeout_ms: number | null;
  retry: Generated<boolean>;
  /** Follows from the other columns; kept for those that wait for it. */
  result: BatchResult | null;
  client_token: string | null;
  request_hash: string;
  revision: number;
  wanted: Wanted;
  wish: number;
  restart_wish: number;
  state: SessionState;
  state_since: Date;
  reason: string;
  restart_served: number;
  generation: number;
  attempts: number;
  granted: Document<Grant | null>;
  image_digest: string | null;
  image_ports: Document<readonly ServicePort[] | null>;
  process_started_at: Date | null;
  /** The server that is being replaced knows of none. */
  subs: ColumnType<readonly SubRecord[], string | undefined, string>;
  frozen: boolean;
  will_stop_at: Date | null;
  ending: Document<Ending | null>;
  logs_kept: boolean;
  waiting: Document<WaitingFor | null>;
  timeline: JSONColumnType<readonly LaunchStep[]>;
  restarts: number;
  last_log: JSONColumnType<readonly string[]>;
  statistics: Document<KeptStatistics | null>;
  commit: Document<Commit | null>;
  uses: Generated<number>;
  executed_at: Date | null;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  /** When the reconciler looks at it; null: not until somebody asks. */
  next_look_at: Date | null;
  /** Somebody asked for a look since the last claim: no answer of that claim may take the look away. */
  woken: Generated<boolean>;
}

export interface SessionDependenciesTable {
  session_id: string;
  /** An older session: there can be no cycles. */
  depends_on: string;
}

export interface SessionEventsTable {
  /** The transaction that wrote it: what makes "in order and none skipped" possible (session-events.ts). */
  xid: Generated<string>;
  id: GeneratedAlways<string>;
  session_id: string;
  owner_id: string;
  at: Generated<Date>;
  kind: NewEvent['kind'];
  state: SessionState;
  message: string;
}

export interface SessionCallbacksTable {
  session_id: string;
  owner_id: string;
  url: string;
  /** Its host. */
  target: string;
  /** The event up to which everything has been dealt with. */
  told_xid: Generated<string>;
  told_id: Generated<string>;
  done: Generated<boolean>;
  claim: string | null;
  claimed_until: Date | null;
  last_status: number | null;
  last_problem: string | null;
  last_at: Date | null;
  failures: Generated<number>;
}

export interface SessionLogsTable {
  session_id: string;
  container: string;
  generation: number;
  log: Buffer;
}

export interface TokensTable {
  id: string;
  user_id: string;
  name: string;
  prefix: string;
  hash: string;
  created_at: Generated<Date>;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export interface KeypairsTable {
  id: string;
  user_id: string;
  name: string;
  access_key: string;
  /** By the SecretBox, about the access key. */
  sealed_secret: Buffer;
  created_at: Generated<Date>;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export interface QuarantineTable {
  session_id: string;
  generation: number;
  container: string;
  first_seen: Date;
  stopped_at: Date | null;
}

/** Every table, each after those it refers to. */
export const TABLE_NAMES = [
  'installation',
  'domains',
  'users',
  'projects',
  'memberships',
  'storages',
  'sessions',
  'session_dependencies',
  'session_events',
  'session_callbacks',
  'session_logs',
  'tokens',
  'keypairs',
  'quarantine',
] as const;

export interface Tables {
  installation: InstallationTable;
  users: UsersTable;
  projects: ProjectsTable;
  memberships: MembershipsTable;
  storages: StoragesTable;
  sessions: SessionsTable;
  session_dependencies: SessionDependenciesTable;
  session_events: SessionEventsTable;
  session_callbacks: SessionCallbacksTable;
  session_logs: SessionLogsTable;
  tokens: TokensTable;
  keypairs: KeypairsTable;
  quarantine: QuarantineTable;
}
