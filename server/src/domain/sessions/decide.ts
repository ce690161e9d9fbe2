import type { Cause } from '@berth/contract';
import { formatDuration } from '@berth/contract';
import type { Changes } from './lifecycle.ts';
import type { Ending, Session, SessionState } from './session.ts';

/** What was seen of the main container, in the domain's own words. */
export interface Seen {
  readonly phase: 'absent' | 'created' | 'running' | 'frozen' | 'exited';
  readonly startedAt?: Date;
  readonly exitCode?: number;
  readonly interrupted?: boolean;
  readonly cause?: Cause;
  /** The declared port answers; always true where none is declared. */
  readonly ready: boolean;
}

export type Action = 'place' | 'ensure-image' | 'launch' | 'start' | 'freeze' | 'thaw' | 'stop' | 'keep-log' | 'remove';

export interface Move {
  readonly kind: 'move';
  readonly to: SessionState;
  readonly reason: string;
  readonly changes?: Changes;
}

export type Decision =
  | { readonly kind: 'act'; readonly action: Action }
  | Move
  | { readonly kind: 'note'; readonly reason: string; readonly changes: Changes }
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
}

/** States that are decided without asking the engine. */
export const needsLook = (state: SessionState): boolean =>
  !['pending', 'scheduled', 'pulling', 'terminated', 'cancelled', 'error'].includes(state);

/** Level-triggered: looks only at what is wanted and what is there, never at which event woke us. */
export function decide(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  switch (session.state) {
    case 'pending':
      return fromPending(session, now, policy);
    case 'scheduled':
    case 'pulling':
      return fromImage(session, now, policy);
    case 'preparing':
      return fromPreparing(session, seen, now, policy);
    case 'running':
      return fromRunning(session, seen);
    case 'pausing':
      return fromPausing(session, seen, now, policy);
    case 'paused':
      return fromPaused(session, seen, now);
    case 'restarting':
      return fromRestarting(session, seen, now, policy);
    case 'terminating':
      return fromTerminating(session, seen, now, policy);
    case 'terminated':
    case 'cancelled':
    case 'error':
      return settled;
  }
}

function fromPending(session: Session, now: Date, policy: LifePolicy): Decision {
  const hasContainer = session.generation > 0;
  if (session.wanted === 'terminated')
    return hasContainer ? terminate(session) : move('cancelled', 'cancelled before it got a place', { endedAt: now });
  if (session.wanted === 'paused' && hasContainer) return move('paused', 'paused again before it got a place', { waiting: null });
  const limit = session.spec.pendingTimeoutMs ?? policy.pendingMs;
  if (!hasContainer && age(session, now) > limit) return giveUp(noRoom(session, limit), now);
  return act('place');
}

function fromImage(session: Session, now: Date, policy: LifePolicy): Decision {
  if (session.wanted === 'terminated') return terminate(session);
  if (session.processStartedAt !== null) return move('preparing', 'resuming');
  if (session.state === 'pulling' && age(session, now) > policy.pullMs)
    return fail(timedOut('its image', 'has not arrived', policy.pullMs));
  return act('ensure-image');
}

function fromPreparing(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  if (session.wanted === 'terminated') return terminate(session);
  switch (seen.phase) {
    case 'absent':
      return session.processStartedAt === null ? act('launch') : fail(LOST);
    case 'created':
      return act('start');
    case 'frozen':
      return act('thaw');
    case 'exited':
      return isOldProcess(session, seen) || seen.interrupted === true ? act('start') : ended(seen);
    case 'running':
      return untilReady(session, seen, now, policy.readyMs);
  }
}

function untilReady(session: Session, seen: Seen, now: Date, limitMs: number): Decision {
  if (seen.ready) {
    return move('running', 'running', {
      processStartedAt: seen.startedAt ?? now,
      startedAt: session.startedAt ?? now,
      frozen: false,
      willStopAt: null,
    });
  }
  return age(session, now) > limitMs ? fail(neverAnswered(session, limitMs)) : wait(100);
}

function fromRunning(session: Session, seen: Seen): Decision {
  if (session.wanted === 'terminated') return terminate(session);
  if (session.restartWish > session.restartServed)
    return move('restarting', 'restart asked for', { restartServed: session.restartWish, restarts: session.restarts + 1 });
  switch (seen.phase) {
    case 'absent':
      return fail(LOST);
    case 'created':
      return act('start');
    case 'frozen':
      return session.wanted === 'paused' ? move('pausing', 'pause asked for') : act('thaw');
    case 'running':
      return session.wanted === 'paused' ? move('pausing', 'pause asked for') : settled;
    case 'exited':
      if (seen.interrupted !== true) return ended(seen);
      if (session.type === 'batch') return fail(INTERRUPTED);
      return move('restarting', 'the engine was restarted; starting it again', { restarts: session.restarts + 1 });
  }
}

/** Finishes the arrow it is on before a newer wish is looked at; only stopping may overtake it. */
function fromPausing(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  if (session.wanted === 'terminated') return terminate(session);
  const late = age(session, now) > policy.pauseMs;
  switch (seen.phase) {
    case 'absent':
      return fail(LOST);
    case 'created':
      return paused(now, null);
    case 'frozen':
      return paused(now, policy.freezeForMs);
    case 'running':
      return act(policy.canFreeze && !late ? 'freeze' : 'stop');
    case 'exited':
      return late || !policy.canFreeze || seen.interrupted === true ? paused(now, null) : ended(seen);
  }
}

function paused(now: Date, freezeForMs: number | null): Decision {
  const frozen = freezeForMs !== null;
  return move('paused', frozen ? 'paused: memory kept, CPU given back' : 'paused: files kept, memory and CPU given back', {
    frozen,
    willStopAt: frozen ? new Date(now.getTime() + freezeForMs) : null,
  });
}

function fromPaused(session: Session, seen: Seen, now: Date): Decision {
  if (session.wanted === 'terminated') return terminate(session);
  if (seen.phase === 'absent') return fail(LOST);
  if (session.wanted === 'running')
    return move('pending', 'resume asked for', { frozen: session.frozen && seen.phase === 'frozen', willStopAt: null });
  if (seen.phase === 'running') return act(session.frozen ? 'freeze' : 'stop');
  if (seen.phase === 'frozen' && (!session.frozen || isPast(session.willStopAt, now))) return act('stop');
  if (seen.phase === 'exited' && session.frozen) {
    return { kind: 'note', reason: 'paused: files kept, memory and CPU given back', changes: { frozen: false, willStopAt: null } };
  }
  return wait(session.willStopAt === null ? null : Math.max(session.willStopAt.getTime() - now.getTime(), 0));
}

function fromRestarting(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  if (session.wanted === 'terminated') return terminate(session);
  const old = isOldProcess(session, seen);
  switch (seen.phase) {
    case 'absent':
      return fail(LOST);
    case 'created':
      return act('start');
    case 'frozen':
      return act('thaw');
    case 'running':
      return old ? act('stop') : untilReady(session, seen, now, policy.restartMs);
    case 'exited':
      return old || seen.interrupted === true ? act('start') : ended(seen);
  }
}

function fromTerminating(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  if (age(session, now) > 2 * policy.stopMs) return finish(session, now);
  const ending = session.ending ?? endingOf(session, seen);
  if (session.ending === null && ending !== null) return { kind: 'note', reason: session.reason, changes: { ending } };
  if (age(session, now) > policy.stopMs || seen.phase === 'created' || seen.phase === 'absent') return act('remove');
  if (seen.phase === 'running' || seen.phase === 'frozen') return act('stop');
  return session.logsKept ? act('remove') : act('keep-log');
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

const terminate = (session: Session): Decision =>
  move('terminating', session.startedAt === null ? 'stopped by request before it ran' : 'stopped by request', { waiting: null });

/** The main process ended by itself: finished, whatever its code, unless the engine knows a cause. */
function ended(seen: Seen): Decision {
  const exitCode = seen.exitCode ?? null;
  const reason = seen.cause?.message ?? `finished, exit ${exitCode ?? 'unknown'}`;
  const ending: Ending = { state: seen.cause === undefined ? 'terminated' : 'error', reason, exitCode, cause: seen.cause ?? null };
  return move('terminating', reason, { ending });
}

/** It never had a place, so nothing of it is on the engine. */
function giveUp(cause: Cause, now: Date): Move {
  const { message: reason } = cause;
  return move('cancelled', reason, { endedAt: now, ending: { state: 'cancelled', reason, exitCode: null, cause } });
}

export function fail(cause: Cause): Move {
  return move('terminating', cause.message, { ending: { state: 'error', reason: cause.message, exitCode: null, cause }, waiting: null });
}

const LOST: Cause = {
  code: 'container-lost',
  message: 'its container is gone: somebody outside Berth removed it',
  remedy: 'files in the home folder are kept; create the session again',
};
const INTERRUPTED: Cause = {
  code: 'engine-restarted',
  message: 'the engine or the machine was restarted while it ran',
  remedy: 'create the batch session again; it is not repeated by itself because its work may not bear that',
};

const neverAnswered = (session: Session, limitMs: number): Cause => ({
  code: 'port-never-answered',
  message: `port ${session.spec.port} did not answer within ${formatDuration(limitMs)}`,
  remedy: 'look at its log: the program may listen on another port, or on 127.0.0.1 only; it must listen on 0.0.0.0',
});
const noRoom = (session: Session, limitMs: number): Cause => ({
  code: 'timed-out',
  message: `no room within ${formatDuration(limitMs)}: ${session.reason}`,
  remedy: 'ask for less, or allow it more time (--timeout)',
});
const timedOut = (what: string, how: string, limitMs: number): Cause => ({
  code: 'timed-out',
  message: `${what} ${how} within ${formatDuration(limitMs)}`,
  remedy: 'try again; if it goes on, ask whoever runs this installation',
});

/** The process that `running` spoke of last, not one started since. */
const isOldProcess = (session: Session, seen: Seen): boolean =>
  session.processStartedAt !== null && seen.startedAt?.getTime() === session.processStartedAt.getTime();

const age = (session: Session, now: Date): number => now.getTime() - session.stateSince.getTime();
const isPast = (at: Date | null, now: Date): boolean => at !== null && at <= now;
const settled: Decision = { kind: 'wait', inMs: null };
const wait = (inMs: number | null): Decision => ({ kind: 'wait', inMs });
const act = (action: Action): Decision => ({ kind: 'act', action });
const move = (to: SessionState, reason: string, changes?: Changes): Move =>
  changes === undefined ? { kind: 'move', to, reason } : { kind: 'move', to, reason, changes };
