import type { BatchResult, Cause, CreateSession, Hold, LaunchStep, ServicePort } from '@berth/contract';
import type { Callback } from '../deliveries/callback.ts';
import type { Commit } from './commit.ts';
import type { KeptStatistics } from './statistics.ts';

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

/** A session of several containers: main1, sub1, sub2, …, each with the resources that were asked for. */
export interface Cluster {
  readonly size: number;
  /** `single-node`: all beside each other; `multi-node`: each wherever there is room. */
  readonly mode: 'single-node' | 'multi-node';
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
  /** Absent: one container. `clusterOf` reads it. */
  readonly cluster?: Cluster;
  /** Variables of the server's making over those of `env`: templates in which `$BERTH_…` stands for what container-environment.ts says. */
  readonly serverEnv?: Readonly<Record<string, string>>;
  /** Run whenever a container of it starts, before its command. A secret of its owner's: never shown. */
  readonly bootstrapScript?: string;
  /** Read by servicePortsOf(), with those of its image. */
  readonly ports?: readonly ServicePort[];
  /** Of the node, as architecture.ts names it; absent: any. */
  readonly architecture?: string;
  /** Not there in rows of before there were storages: read by storagesIn(). */
  readonly mounts?: readonly Mount[];
}

/** What a node handed out for one container. CPU and memory are ceilings; what is reserved is in the spec. */
export interface Seat {
  readonly node: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly devices: readonly string[];
}

/** The seat of main1, and those of the other containers in their order. */
export interface Grant extends Seat {
  readonly subs?: readonly Seat[];
  /** When a runtime that finds places itself was asked for them; RFC 3339. */
  readonly askedAt?: string;
}

/** What was last seen of a container beside main1 while the session ran. */
export interface SubRecord {
  readonly name: string;
  readonly state: 'running' | 'ended' | 'silent';
  /** The engine's start time of its process; RFC 3339. */
  readonly startedAt: string | null;
  readonly exitCode: number | null;
  /** Why it does not run, to be read behind its name. */
  readonly reason: string | null;
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
  /** What its image declares, once it is on the node; null before, and where nobody can read it. */
  readonly imagePorts: readonly ServicePort[] | null;
  /** The engine's start time of the main process that `running` speaks of. */
  readonly processStartedAt: Date | null;
  /** Empty for a session of one container. */
  readonly subs: readonly SubRecord[];
  readonly frozen: boolean;
  readonly willStopAt: Date | null;
  readonly ending: Ending | null;
  readonly logsKept: boolean;
  readonly waiting: WaitingFor | null;
  readonly timeline: readonly LaunchStep[];
  readonly restarts: number;
  readonly lastLog: readonly string[];
  /** Written apart from the rest, whenever something was counted. */
  readonly statistics: KeptStatistics | null;
  /** Begun by a request, gone on with by the reconciler. */
  readonly commit: Commit | null;
  /** Written apart from the rest, with every delivery. */
  readonly callback: Callback | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;

  // Written by neither: counted in memory, added now and then. SessionUses has what is not written yet.
  /** How often somebody asked about it or ran code in it. */
  readonly uses: number;
  /** When code was last seen running in it. */
  readonly executedAt: Date | null;
}
