import type { Cause } from '@berth/contract';
import { formatDuration } from '@berth/contract';
import { isCommitting } from './commit.ts';
import { readySince } from './dependencies.ts';
import { runningReason } from './container-view.ts';
import type { Changes } from './lifecycle.ts';
import type { NewEvent } from './session-store.ts';
import type { Ending, Session, SessionState, SubRecord, WaitingFor } from './session.ts';

/** What was seen of a container beside main1. */
export interface SubSeen extends SubRecord {
  readonly node?: string;
}

/** What was seen of the main container, in the domain's own words; of several, what see-together.ts makes of them. */
export interface Seen {
  readonly phase: 'absent' | 'created' | 'running' | 'frozen' | 'exited';
  readonly startedAt?: Date;
  readonly exitCode?: number;
  readonly interrupted?: boolean;
  readonly cause?: Cause;
  /** Where it is, once the cluster has decided that. */
  readonly node?: string;
  /** Created, and the cluster is not done with it. */
  readonly waiting?:
    | { readonly for: 'room'; readonly reasons: WaitingFor['reasons'] }
    | { readonly for: 'image' | 'container'; readonly message: string };
  /** Its node tells nothing; the rest is what was known before. */
  readonly silent?: { readonly since: Date; readonly message: string };
  /** At its bootstrap script: its command has not begun, and it is not `ready`. */
  readonly bootstrapping?: boolean;
  /** The declared port answers; always true where none is declared. */
  readonly ready: boolean;
  /** Where there are several containers: those beside main1. */
  readonly subs?: readonly SubSeen[];
  /** Some of several containers have a place in the cluster, others none. */
  readonly isPartlyPlaced?: true;
}

export type Action =
  | 'place'
  | 'ensure-image'
  /** Storages, container, start. */
  | 'launch'
  /** The same without the start: a cluster needs a while in between. */
  | 'create'
  /** A container of the next generation in place of one that is gone. */
  | 'replace'
  | 'start'
  | 'freeze'
  | 'thaw'
  | 'stop'
  | 'keep-log'
  /** The container goes, the session stays. */
  | 'release'
  /** The same, and the cluster is asked for places again after a while. */
  | 'ask-again'
  /** The same, and with that the session is paused. */
  | 'vacate'
  /** An image of its files is begun, or looked after. */
  | 'commit'
  | 'remove';

export interface Move {
  readonly kind: 'move';
  readonly to: SessionState;
  readonly reason: string;
  readonly changes?: Changes;
}

export type Decision =
  | { readonly kind: 'act'; readonly action: Action }
  | Move
  | { readonly kind: 'note'; readonly reason: string; readonly changes: Changes; readonly event?: NewEvent['kind'] }
  /** null: nothing to do until a request or an event. */
  | { readonly kind: 'wait'; readonly inMs: number | null };

/** All durations in milliseconds. */
export interface LifePolicy {
  readonly pendingMs: number;
  readonly pullMs: number;
  readonly readyMs: number;
  readonly pauseMs: number;
  readonly restartMs: number;
  readonly stopMs: number;
  /** How long a frozen session keeps its memory. */
  readonly freezeForMs: number;
  readonly canFreeze: boolean;
  /** The runtime places containers itself and never starts one twice. */
  readonly orchestrates: boolean;
  /** How long a node may tell nothing before what ran on it is given up. */
  readonly nodeLostMs: number;
}

export function paused(now: Date, freezeForMs: number | null): Decision {
  const frozen = freezeForMs !== null;
  return move('paused', frozen ? 'paused: memory kept, CPU given back' : 'paused: files kept, memory and CPU given back', {
    frozen,
    willStopAt: frozen ? new Date(now.getTime() + freezeForMs) : null,
  });
}

export function fromTerminating(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  if (age(session, now) > 2 * policy.stopMs) return finish(session, now);
  const ending = session.ending ?? endingOf(session, seen);
  if (session.ending === null && ending !== null) return { kind: 'note', reason: session.reason, changes: { ending } };
  if (age(session, now) > policy.stopMs || seen.phase === 'created' || seen.phase === 'absent') return act('remove');
  if (seen.phase === 'running' || seen.phase === 'frozen') return act('stop');
  if (!session.logsKept) return act('keep-log');
  return act(isCommitting(session) ? 'commit' : 'remove');
}

/** Asked to stop: whatever code the process ends with is kept. */
function endingOf(session: Session, seen: Seen): Ending | null {
  if (seen.phase !== 'exited') return null;
  return { state: 'terminated', reason: session.reason, exitCode: seen.exitCode ?? null, cause: null };
}

/** What a session becomes once nothing of it is left on the engine: the last step of `remove`. */
export function finish(session: Session, now: Date): Move {
  const ending = session.ending ?? { state: 'terminated', reason: session.reason, exitCode: null, cause: null };
  return {
    kind: 'move',
    to: ending.state,
    reason: ending.reason,
    changes: { ending, endedAt: now, frozen: false, willStopAt: null, waiting: null },
  };
}

export const terminate = (session: Session): Decision =>
  move('terminating', session.startedAt === null ? 'stopped by request before it ran' : 'stopped by request', { waiting: null });

/** The main process ended by itself: finished, whatever its code, unless the engine knows a cause. */
export function ended(seen: Seen): Decision {
  const exitCode = seen.exitCode ?? null;
  const reason = seen.cause?.message ?? `finished, exit ${exitCode ?? 'unknown'}`;
  const ending: Ending =
    seen.cause === undefined
      ? { state: 'terminated', reason, exitCode, cause: null, finished: true }
      : { state: 'error', reason, exitCode, cause: seen.cause };
  return move('terminating', reason, { ending, ...recorded(seen) });
}

/** It never had a place, so nothing of it is on the engine. */
export function giveUp(cause: Cause, now: Date): Move {
  const { message: reason } = cause;
  return move('cancelled', reason, { endedAt: now, ending: { state: 'cancelled', reason, exitCode: null, cause } });
}

export function fail(cause: Cause): Move {
  return move('terminating', cause.message, { ending: { state: 'error', reason: cause.message, exitCode: null, cause }, waiting: null });
}

/** A command is run once, unless whoever gave it said that it bears repeating. */
export const mayRepeat = ({ type, retry }: Session): boolean => type === 'interactive' || retry;

/** Well and running, as long as the command of a batch session may; what became of the containers beside main1 is written down. */
export function whileRunning(session: Session, seen: Seen, now: Date): Decision {
  const { batchTimeoutMs, processStartedAt } = session;
  const { subs } = recorded(seen);
  if (subs !== undefined && !areSame(subs, session.subs)) return noteSubs(session, subs);
  if (batchTimeoutMs === null || processStartedAt === null) return settled;
  const leftMs = processStartedAt.getTime() + batchTimeoutMs - now.getTime();
  return leftMs > 0 ? wait(leftMs) : fail(ranTooLong(batchTimeoutMs));
}

export const recorded = ({ subs }: Seen): { subs?: readonly SubRecord[] } =>
  subs === undefined
    ? {}
    : { subs: subs.map(({ name, state, startedAt, exitCode, reason }) => ({ name, state, startedAt, exitCode, reason })) };

const areSame = (some: readonly SubRecord[], others: readonly SubRecord[]): boolean =>
  some.length === others.length &&
  some.every(({ name, state, startedAt, exitCode, reason }, index) => {
    const other = others[index];
    return (
      other?.name === name &&
      other.state === state &&
      other.startedAt === startedAt &&
      other.exitCode === exitCode &&
      other.reason === reason
    );
  });

function noteSubs(session: Session, subs: readonly SubRecord[]): Decision {
  const reason = runningReason(subs);
  return { kind: 'note', reason, changes: { subs }, ...(reason !== session.reason && { event: 'notice' as const }) };
}

/** It has waited for a place for longer than it wished; what else it waits for may take its time. */
export function isLate(session: Session, now: Date, limitMs: number): boolean {
  const since = readySince(session, now);
  return since !== null && now.getTime() - since.getTime() > limitMs;
}

export const LOST: Cause = {
  code: 'container-lost',
  message: 'its container is gone: somebody outside Berth removed it',
  remedy: 'files in the home folder are kept; create the session again',
};
export const INTERRUPTED: Cause = {
  code: 'engine-restarted',
  message: 'the engine or the machine was restarted while it ran',
  remedy: 'create the batch session again; only with --retry is it repeated by itself, because its work may not bear that',
};

export const noRoom = (session: Session, limitMs: number): Cause => ({
  code: 'timed-out',
  message: `no room within ${formatDuration(limitMs)}: ${session.reason}`,
  remedy: 'ask for less, or allow it more time (--timeout)',
});
const ranTooLong = (limitMs: number): Cause => ({
  code: 'timed-out',
  message: `it was ended because its command ran longer than ${formatDuration(limitMs)}`,
  remedy: 'allow it more time (--max-run-time), or none at all',
});
export const timedOut = (what: string, how: string, limitMs: number): Cause => ({
  code: 'timed-out',
  message: `${what} ${how} within ${formatDuration(limitMs)}`,
  remedy: 'try again; if it goes on, ask whoever runs this installation',
});

/** The process that `running` spoke of last, not one started since. */
export const isOldProcess = (session: Session, seen: Seen): boolean =>
  session.processStartedAt !== null && seen.startedAt?.getTime() === session.processStartedAt.getTime();

export const age = (session: Session, now: Date): number => now.getTime() - session.stateSince.getTime();
export const isPast = (at: Date | null, now: Date): boolean => at !== null && at <= now;
export const settled: Decision = { kind: 'wait', inMs: null };
export const wait = (inMs: number | null): Decision => ({ kind: 'wait', inMs });
export const act = (action: Action): Decision => ({ kind: 'act', action });
export const move = (to: SessionState, reason: string, changes?: Changes): Move =>
  changes === undefined ? { kind: 'move', to, reason } : { kind: 'move', to, reason, changes };
