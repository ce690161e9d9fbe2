import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Executor } from '../domain/execution/executor.ts';
import type { SessionUses } from '../domain/execution/session-uses.ts';
import type { SessionFiles } from '../domain/files/session-files.ts';
import type { OutgoingRules } from '../domain/network/outgoing-rules.ts';
import type { NodeDirectory } from '../domain/scheduling/node-directory.ts';
import type { FirstByte } from '../domain/sessions/first-byte.ts';
import type { Notifications, SessionStore } from '../domain/sessions/session-store.ts';
import type { LiveStatistics } from '../domain/sessions/statistics.ts';
import type { StorageStore } from '../domain/storages/storage-store.ts';
import type { KeypairStore } from '../domain/users/keypair-store.ts';
import type { TokenStore, UserStore } from '../domain/users/user-store.ts';
import type { Runtime } from '../runtimes/runtime.ts';

/** What the API is made of. */
export interface HttpParts {
  readonly sessions: SessionStore;
  readonly users: UserStore;
  readonly tokens: TokenStore;
  readonly keypairs: KeypairStore;
  readonly storages: StorageStore;
  readonly notifications: Notifications;
  readonly nodes: NodeDirectory;
  readonly runtime: Runtime;
  readonly files: SessionFiles;
  readonly executor: Executor;
  readonly uses: SessionUses;
  readonly firstByte: FirstByte;
  readonly statistics: LiveStatistics;
  /** Whom users may make this server ask. */
  readonly outgoing: OutgoingRules;
  /** With what a user's callbacks are signed. */
  readonly callbackKeyOf: (userId: string) => string;
  readonly metrics: Registry;
  readonly log: Logger | false;
  readonly version: string;
  readonly defaultImage: string;
  /** Names this server is reached by besides localhost and addresses. */
  readonly allowedHosts: readonly string[];
  /** How many requests of a key pair are answered within a quarter of an hour; default: enough for any client. */
  readonly signedRequestsPerWindow?: number;
  /** How many sessions of one user may be at work at a time; default: 0, as many as fit. */
  readonly sessionsPerUser?: number;
  readonly newId: () => string;
  readonly now: () => Date;
  /** A hint for the local reconciler: this session is due. */
  readonly wake: (sessionId: string) => void;
  /** The same: storages are to be removed. */
  readonly removeStorages: () => void;
  readonly ready: () => Promise<{ readonly ok: boolean; readonly reason?: string }>;
}
