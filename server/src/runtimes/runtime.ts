import type { Cause } from '@berth/contract';
import type { Readable, Writable } from 'node:stream';
import type { ImageFacts } from '../domain/images/image-facts.ts';
import type { Usage } from '../domain/sessions/statistics.ts';

/** Identity of one incarnation: a late event or a leaked container of an old generation is never mistaken for the current one. */
export interface ContainerRef {
  readonly sessionId: string;
  readonly generation: number;
  /** `main1`, `sub1`, …: the containers of a cluster session. */
  readonly container: string;
}

export interface ContainerSpec {
  readonly ref: ContainerRef;
  /** Where it goes; empty where the cluster finds a place itself. */
  readonly node: string;
  /** As architecture.ts names it; absent: any. A node that is named has it. */
  readonly architecture?: string;
  readonly owner: string;
  readonly project: string;
  /** As resolved by `ensureImage`: what is run is what was checked. */
  readonly imageDigest: string;
  /** For a cluster, which gets the image behind the container's creation. */
  readonly pull: ImageRequest['pull'];
  /** Empty: a login shell, bash where there is one, else sh. */
  readonly command: readonly string[];
  readonly keepEntrypoint: boolean;
  /** Runs whenever the container starts, before the command, which runs only where this has succeeded. Needs a shell, and no kept entry point. */
  readonly bootstrapScript?: string;
  readonly tty: boolean;
  readonly stdin: 'closed' | 'open' | 'once';
  readonly env: Readonly<Record<string, string>>;
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string };
  readonly hostname: string;
  /** Host names of the session's other containers, in their order; they find this one by `ref.container`. */
  readonly peers?: readonly string[];
  /** It goes to the node of this one, where the cluster finds the places. */
  readonly beside?: ContainerRef;
  readonly workDir: string | null;
  /** It runs once this port answers. */
  readonly port: number | null;
  readonly limits: {
    readonly cpus: number;
    readonly memoryBytes: number;
    readonly sharedMemoryBytes: number;
    readonly pids: number;
    /** Device ids of this node, exclusively assigned; none where the cluster assigns them. */
    readonly devices: readonly string[];
    readonly gpus: number;
  };
  /** How long the process may take to end when it is stopped, where that must be known beforehand. */
  readonly stopGraceSeconds: number;
  /** false: lowest CPU share, first to go when memory is short. */
  readonly reserved: boolean;
  /** What a cluster keeps free for it alone; without it all of `limits`, or nothing, as `reserved` says. */
  readonly reserves?: { readonly cpus: number; readonly memoryBytes: number };
  readonly mounts: readonly { readonly storage: StorageRef; readonly target: string; readonly readOnly: boolean }[];
  readonly egress: 'open' | 'none';
}

/** A named folder that outlives sessions. `name` is unique in the installation and a legal volume name. */
export interface StorageRef {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export type ContainerPhase = 'absent' | 'created' | 'running' | 'frozen' | 'exited';

export interface Observed {
  readonly ref: ContainerRef;
  /** A cluster's container is `created` until its process is let run, and `exited` also where it can never start (no exit code, a cause). */
  readonly phase: ContainerPhase;
  /** Where it is, once that is decided. */
  readonly node?: string;
  /** It is `running`, and at its bootstrap script: its command has not begun. */
  readonly bootstrapping?: boolean;
  /** Whether the declared port answers, where the cluster watches that itself. */
  readonly answers?: boolean;
  /** `created`, and not yet to be started. */
  readonly waiting?: Waiting;
  /** Its node tells nothing: all else is what was known before. */
  readonly silent?: { readonly since: Date; readonly message: string };
  /** As the engine tells it; changes whenever the main process is started again. */
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  readonly exitCode?: number;
  /** It ended because the engine or the machine went down, not because its process did. */
  readonly interrupted?: boolean;
  /** Why it failed, where the engine knows: out of memory, command not found. */
  readonly cause?: Cause;
}

/** What a created container still needs before `start`, where the cluster decides when. Messages are for people. */
export type Waiting =
  | { readonly for: 'room'; readonly reasons: readonly { readonly node: string; readonly reason: string }[] }
  | { readonly for: 'image' | 'container'; readonly message: string };

export type ImageState =
  | {
      readonly phase: 'present';
      readonly digest: string;
      /** Where the runtime gets images before their containers. */
      readonly facts?: ImageFacts;
    }
  | { readonly phase: 'pulling'; readonly progress: string };

export interface ImageRequest {
  readonly node: string;
  readonly reference: string;
  readonly pull: 'always' | 'missing' | 'never';
  /** Repeating a request with the same key joins the pull under way instead of beginning another. */
  readonly key: string;
}

export interface NodeFacts {
  readonly name: string;
  readonly engine: string;
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly devices: readonly string[];
  /** As architecture.ts names it. */
  readonly architecture: string;
  readonly notices: readonly string[];
  /** As the runtime itself counts it, where it does: others may use the node, too. */
  readonly free?: { readonly cpu: number; readonly memoryBytes: number; readonly gpus: number };
  /** It takes no new containers: cordoned, not ready. */
  readonly unavailable?: { readonly since: Date; readonly reason: string };
}

export interface LogChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}
export interface LogOptions {
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export interface ExecRequest {
  readonly command: readonly string[];
  readonly tty: { readonly rows: number; readonly cols: number } | null;
}

/** A process's three streams. Ending `stdin` is seen by the process as end of input, where the engine can tell it. */
export interface Terminal {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Silent where there is a TTY. */
  readonly stderr: Readable;
  resize(size: { rows: number; cols: number }): Promise<void>;
  /** Exec: the exit code. Attach: undefined once the connection ends, the process's own code is the session's. */
  readonly exited: Promise<number | undefined>;
  close(): void;
}

export interface StartRequest {
  /** That of its spec: engines get it anew for each start. */
  readonly bootstrapScript?: string | undefined;
  /** What it looked like to who wants it started: nobody else can have started it since, and had it end. Absent: however it is. */
  readonly seen?: { readonly startedAt?: Date | undefined } | undefined;
}

/**
 * The only thing the rest of the server knows about Docker or Kubernetes. Converging methods are idempotent: done twice, or
 * to something already so, is success. Every method throws RuntimeError and nothing else.
 */
export interface Runtime {
  readonly kind: 'docker' | 'kubernetes' | 'fake';
  /**
   * It finds places for containers and gets their images by itself, after `create`; a container that has ended is never started
   * again, a new generation takes its place.
   */
  readonly orchestrates: boolean;
  /** `logs` keeps the two streams apart; else all is stdout in it. */
  readonly logsApart: boolean;

  ensureImage(request: ImageRequest): Promise<ImageState>;
  ensureStorage(node: string, storage: StorageRef, imageDigest: string): Promise<void>;
  /** With all that is in it. Fails, as something to try again, while a container mounts it. */
  removeStorage(storage: StorageRef): Promise<void>;
  create(spec: ContainerSpec): Promise<void>;
  /** Waits a while for one that is still on its way. One that was started otherwise than `seen` is left as it is, whatever became of it. */
  start(ref: ContainerRef, request?: StartRequest): Promise<void>;
  /** Returns when the process has ended; exit code and log stay until `remove`. */
  stop(ref: ContainerRef, graceSeconds: number): Promise<void>;
  /** Also what belongs to it alone: its network. Kills what still runs. */
  remove(ref: ContainerRef): Promise<void>;

  /** Never throws for "absent". */
  inspect(ref: ContainerRef): Promise<Observed>;
  /** Every container that carries this installation's labels. */
  list(): Promise<readonly Observed[]>;
  /** Ids of the sessions of which anything besides containers is there: a network, a secret. */
  traces(): Promise<readonly string[]>;
  /** Removes that of a session which has no container any more. */
  clear(sessionId: string): Promise<void>;
  nodes(): Promise<readonly NodeFacts[]>;
  /** Hints only: "look again", at least when a container may have ended, gone or been frozen. May drop or repeat. Ends with the signal; throws RuntimeError when the engine goes away. */
  watch(signal: AbortSignal): AsyncIterable<ContainerRef>;
  /** Host and port as reachable from this server, or undefined while there is none. */
  endpoint(ref: ContainerRef, port: number): Promise<{ host: string; port: number } | undefined>;
  /** What its processes have used since it was started; undefined where it does not run. Nothing of it is changed by asking. */
  statistics(ref: ContainerRef): Promise<Usage | undefined>;

  logs(ref: ContainerRef, options: LogOptions): AsyncIterable<LogChunk>;
  /** `stdin: false` only looks on: leaving does not end the input of a process whose stdin is open once. */
  attach(ref: ContainerRef, options?: { readonly stdin: boolean }): Promise<Terminal>;
  exec(ref: ContainerRef, request: ExecRequest): Promise<Terminal>;

  /** Lets go of the engine; what runs runs on. */
  close(): Promise<void>;
}

/** Pausing with memory kept. Asked for with `canFreeze`, never with a method that throws "not supported". */
export interface Freezable {
  freeze(ref: ContainerRef): Promise<void>;
  thaw(ref: ContainerRef): Promise<void>;
}
export const canFreeze = (runtime: Runtime): runtime is Runtime & Freezable => 'freeze' in runtime && 'thaw' in runtime;

/** Making an image of a container's files. Asked for with `canCommit`. */
export interface Committable {
  /**
   * Begins it, or tells how far it is; done again from the beginning by a server that knows nothing of it. The image is what the
   * container was made of, and what was written since outside of storages; nothing of how the session was started is in it.
   */
  commit(request: CommitRequest): Promise<CommitState>;
}
export interface CommitRequest {
  readonly ref: ContainerRef;
  /** `name:tag`; an image that is called so already loses the name. */
  readonly reference: string;
  /** Repeating a request with the same key joins what is under way. */
  readonly key: string;
}
export type CommitState = { readonly phase: 'done'; readonly digest: string } | { readonly phase: 'working'; readonly progress: string };
export const canCommit = (runtime: Runtime): runtime is Runtime & Committable => 'commit' in runtime;

/** `retry` is the runtime's knowledge; how often and how long is the reconciler's policy. `unreachable` says nothing about any container. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly kind: 'unreachable' | 'retry' | 'fatal';
  readonly failure: Cause;
  constructor(kind: RuntimeError['kind'], failure: Cause, options?: ErrorOptions) {
    super(failure.message, options);
    this.kind = kind;
    this.failure = failure;
  }
}
