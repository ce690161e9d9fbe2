import type { BatchResult, Cause, CreateSession, Hold, LaunchStep } from '@berth/contract';

export type SessionState =
  | 'pending'
  | 'scheduled'
  | 'pulling'
  | 'preparing'
  | 'running'
  | 'pausing'
  | 'paused'
  | 'restarting'
  | 'terminating'
  | 'terminated'
  | 'cancelled'
  | 'error';
export type Wanted = 'running' | 'paused' | 'terminated';

/** A storage in a session, by the name it had when the session was made. */
export interface Mount {
  readonly storageId: string;
  readonly name: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** What was asked for and never changes, defaults filled in. */
export interface SessionSpec {
  readonly image: string;
  readonly pull: CreateSession['pull'];
  readonly command: readonly string[];
  readonly keepEntrypoint: boolean;
  readonly tty: boolean;
  readonly stdin: CreateSession['stdin'];
  readonly env: Readonly<Record<string, string>>;
  readonly cpu: number | null;
  readonly gpu: number;
  readonly memoryBytes: number | null;
  readonly sharedMemoryBytes: number | null;
  readonly node: string | null;
  readonly egress: 'open' | 'none';
  readonly port: number | null;
  readonly workDir: string | null;
  readonly pendingTimeoutMs: number | null;
  /** Not there in rows of before there were storages: domain/storages/session-mounts.ts reads it. */
  readonly mounts?: readonly Mount[];
}

/** What a node handed out. CPU and memory are ceilings; what is reserved is in the spec. */
export interface Grant {
  readonly node: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly devices: readonly string[];
}

/** A batch session that another one follows, as it is now. */
export interface Dependency {
  readonly id: string;
  readonly name: string;
  readonly state: SessionState;
  readonly result: BatchResult | null;
  /** RFC 3339. */
  readonly endedAt: string | null;
}

/** How a terminating session will be remembered. */
export interface Ending {
  readonly state: 'terminated' | 'cancelled' | 'error';
  readonly reason: string;
  readonly exitCode: number | null;
  readonly cause: Cause | null;
  /** Its main process ended by itself. */
  readonly finished?: true;
}

export interface WaitingFor {
  readonly position: number;
  readonly of: number;
  readonly reasons: readonly { readonly node: string; readonly reason: string }[];
  /** What keeps it waiting whatever room there is. */
  readonly holds?: readonly Hold[];
}

export interface Session {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly projectId: string;
  readonly projectName: string;
  readonly type: 'interactive' | 'batch';
  readonly spec: SessionSpec;
  readonly tag: string | null;
  readonly startsAt: Date | null;
  readonly dependencies: readonly Dependency[];
  /** How long the command of a batch session may run. */
  readonly batchTimeoutMs: number | null;
  /** The command of a batch session may be run again when the engine interrupted it. */
  readonly retry: boolean;
  /** Compare-and-set guard: +1 with every write, whoever writes. */
  readonly revision: number;

  // Written by requests only.
  readonly wanted: Wanted;
  readonly wish: number;
  /** The wish that asked for the latest restart; 0 when none did. */
  readonly restartWish: number;

  // Written by the reconciler only.
  readonly state: SessionState;
  readonly stateSince: Date;
  readonly reason: string;
  /** The latest restart wish that was taken up. */
  readonly restartServed: number;
  readonly generation: number;
  readonly attempts: number;
  readonly grant: Grant | null;
  readonly imageDigest: string | null;
  /** The engine's start time of the main process that `running` speaks of. */
  readonly processStartedAt: Date | null;
  readonly frozen: boolean;
  readonly willStopAt: Date | null;
  readonly ending: Ending | null;
  readonly logsKept: boolean;
  readonly waiting: WaitingFor | null;
  readonly timeline: readonly LaunchStep[];
  readonly restarts: number;
  readonly lastLog: readonly string[];
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}
