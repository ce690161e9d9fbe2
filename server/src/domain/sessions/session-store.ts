import type { KeptStatistics } from './statistics.ts';
import type { Cluster, Session, SessionSpec, SessionState, WaitingFor } from './session.ts';

export interface NewEvent {
  readonly kind: 'created' | 'requested' | 'state' | 'progress' | 'waiting' | 'notice';
  readonly message: string;
}

/** What the reconciler needs of the table. Every write is one statement or one transaction: either all of it is there, or nothing. */
export interface ReconcilerStore {
  get(id: string): Promise<Session | undefined>;
  /** Writes `next` and its event if the row still has revision `next.revision - 1`; false: somebody else moved it, read again. */
  save(next: Session, event: NewEvent | null, lookAgainInMs: number | null): Promise<boolean>;
  /** Claims sessions that are due (`for update skip locked`) and pushes their next look `leaseMs` ahead, so a dead server's come back. */
  claimDue(limit: number, leaseMs: number): Promise<readonly Session[]>;
  /** Milliseconds until the next look at this session; null: none until a request or an event asks for one. Kept only if the row still has `revision`. */
  lookAgain(id: string, revision: number, inMs: number | null): Promise<void>;
  /** Makes these due now. Absent or final ones are ignored. */
  wake(ids: readonly string[]): Promise<void>;
  wakePending(): Promise<void>;

  /** Runs `decide` alone in the installation (one advisory lock), on one consistent picture, and writes what it answers. The
   *  caller sees to it that somebody takes those sessions further: they become due only when the lease ends. */
  place(decide: (picture: Placement) => readonly Session[], leaseMs: number): Promise<readonly Session[]>;
  /** Everything that holds resources now, for reports. */
  holding(): Promise<readonly Session[]>;
  /** Writes the queue's reasons (`waiting`, and `reason` as waitingText says it) where they changed, with an event; the revision stays. */
  explain(waiting: ReadonlyMap<string, WaitingFor>): Promise<void>;

  /** All that are not final, for the sweep. */
  live(): Promise<readonly LiveSession[]>;
  /** Which of these ids the table knows at all. */
  known(ids: readonly string[]): Promise<ReadonlyMap<string, { state: SessionState; generation: number }>>;

  keepLog(of: { readonly sessionId: string; readonly generation: number; readonly container: string }, log: Buffer): Promise<void>;

  /** The sessions that run, with what was kept of each so far. */
  counted(): Promise<readonly Counted[]>;
  /** By session, many in one write; what another server counted later stays. */
  keepStatistics(kept: ReadonlyMap<string, KeptStatistics>): Promise<void>;
}

export type Counted = Pick<Session, 'id' | 'generation' | 'processStartedAt' | 'statistics'>;

export interface LiveSession extends Pick<Session, 'id' | 'state' | 'generation' | 'subs'> {
  /** null: one container. */
  readonly cluster: Cluster | null;
}

export interface Placement {
  readonly now: Date;
  /** Oldest first. */
  readonly pending: readonly Session[];
  /** Everything that holds resources: HOLDS_CPU states, and paused or pending ones that are frozen. */
  readonly holding: readonly Session[];
}

/** Containers with our labels that the table does not know: kept aside, never removed at first sight. */
export interface QuarantineStore {
  /** Remembers when each was first seen; forgets those not listed any more. Answers all, with when they were stopped. */
  see(strays: readonly Stray[], now: Date): Promise<readonly (Stray & { firstSeen: Date; stoppedAt: Date | null })[]>;
  stopped(stray: Stray, now: Date): Promise<void>;
  count(): Promise<number>;
}
export interface Stray {
  readonly sessionId: string;
  readonly generation: number;
  readonly container: string;
}

export interface NewSession {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly projectId: string;
  readonly type: 'interactive' | 'batch';
  readonly spec: SessionSpec;
  readonly tag: string | null;
  readonly startsAt: Date | null;
  /** Ids of batch sessions. */
  readonly dependencies: readonly string[];
  readonly batchTimeoutMs: number | null;
  readonly retry: boolean;
  /** As parseCallbackUrl has it. */
  readonly callbackUrl: string | null;
  readonly clientToken: string | null;
  /** sha256 of the request, to tell a repeated create from a token used twice. */
  readonly requestHash: string;
}

export interface StoredEvent extends NewEvent {
  readonly id: string;
  readonly sessionId: string;
  readonly ownerId: string;
  readonly at: Date;
  readonly state: SessionState;
}

export interface SessionFilter {
  /** null: everybody's. */
  readonly ownerId: string | null;
  readonly projectId: string | null;
  /** null: all that are not final, or really all with `all`. */
  readonly states: readonly SessionState[] | null;
  readonly all: boolean;
  readonly limit: number;
  readonly cursor: string | null;
}

/** Sessions in one of these states, and, where it is said, with or without a wish that was not taken up yet. */
export interface SessionKind {
  readonly states: readonly SessionState[];
  /** Its end is wanted. */
  readonly ending?: boolean;
  /** A restart was asked for after the latest that was taken up. */
  readonly restartAsked?: boolean;
  /** One of its containers does not run. */
  readonly degraded?: boolean;
}

export interface SessionSelection {
  /** null: everybody's. */
  readonly ownerId: string | null;
  readonly projectId: string | null;
  /** Those that are of any of these; null: all. */
  readonly kinds: readonly SessionKind[] | null;
}

/** What requests need of the table. */
export interface SessionStore {
  /** Same owner and client token: the session made before (`created` false), or ProblemError token-reused where the hash differs.
   *  A name in use among the owner's live sessions: ProblemError name-taken. */
  create(draft: NewSession): Promise<{ readonly session: Session; readonly created: boolean }>;
  get(id: string): Promise<Session | undefined>;
  /** By id, by name (a live one first, else the latest), or by unique beginning of an id (at least 4 characters), among one owner's sessions. */
  find(ownerId: string | null, text: string): Promise<Session | 'ambiguous' | undefined>;
  /** One owner's sessions of this id or name, live ones first; where there is none, those whose id or name begins so: by id first,
   *  live ones before others. Always the newest first. `dead`: also those that were terminated or cancelled. */
  matching(ownerId: string, text: string, options: { readonly dead: boolean; readonly limit: number }): Promise<readonly Session[]>;
  list(filter: SessionFilter): Promise<{ readonly items: readonly Session[]; readonly next: string | null }>;
  count(selection: SessionSelection): Promise<number>;
  /** For who counts instead of following cursors; by when they were created. */
  window(
    selection: SessionSelection,
    part: { readonly offset: number; readonly limit: number; readonly oldestFirst: boolean },
  ): Promise<readonly Session[]>;
  /** Applies a pure change to the latest row under its lock, records the event, makes the session due and wakes the loop. The change may throw. */
  request(id: string, change: (session: Session) => Session, message: string): Promise<Session>;
  /** What was kept of a container, oldest generation first; of those before this one, where one is given. */
  logs(of: { readonly sessionId: string; readonly container: string }, before?: number): Promise<readonly Buffer[]>;
  /** In order, after an event id; never skips one that was committed late. */
  events(filter: {
    readonly ownerId: string | null;
    readonly sessionId: string | null;
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly StoredEvent[]>;
  /** Each state it was ever in, with when it came to it last; in that order. */
  history(sessionId: string): Promise<readonly { readonly state: SessionState; readonly at: Date }[]>;
  /** What it follows, and what that follows, oldest first. */
  ancestors(sessionId: string, limit: number): Promise<readonly Session[]>;
  /** Whose latest image has this id. */
  withCommit(commitId: string): Promise<Session | undefined>;
  /** The id of the newest event: where somebody begins who wants only what comes. Null: there is none yet. */
  latestEvent(): Promise<string | null>;
}

/** Wake-ups from PostgreSQL's NOTIFY: hints, may be missed over a reconnect. */
export interface Notifications {
  /** Something became due. */
  onWake(listener: () => void): () => void;
  /** Something happened; the session's id. */
  onEvent(listener: (sessionId: string) => void): () => void;
}
