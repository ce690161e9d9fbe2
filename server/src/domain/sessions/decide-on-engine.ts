import { isCommitting } from './commit.ts';
import { dependencyFailed, failedDependency } from './dependencies.ts';
import {
  act,
  age,
  ended,
  fail,
  fromTerminating,
  giveUp,
  INTERRUPTED,
  isLate,
  isOldProcess,
  isPast,
  LOST,
  mayRepeat,
  move,
  noRoom,
  paused,
  settled,
  terminate,
  timedOut,
  wait,
  whileRunning,
  type Decision,
  type LifePolicy,
  type Seen,
} from './decision.ts';
import type { Session } from './session.ts';
import { untilReady } from './until-ready.ts';

/** An engine does what it is told, where it is told: Berth finds the place, gets the image, and starts the same container again and again. */
export function decideOnEngine(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  switch (session.state) {
    case 'pending':
      return fromPending(session, now, policy);
    case 'scheduled':
    case 'pulling':
      return fromImage(session, now, policy);
    case 'preparing':
      return fromPreparing(session, seen, now, policy);
    case 'running':
      return fromRunning(session, seen, now);
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
  const failed = hasContainer ? undefined : failedDependency(session);
  if (failed !== undefined) return giveUp(dependencyFailed(failed), now);
  if (!hasContainer && isLate(session, now, limit)) return giveUp(noRoom(session, limit), now);
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
      return isOldProcess(session, seen) ? act('start') : startOver(session, seen);
    case 'running':
      return untilReady(session, seen, now, policy.readyMs);
  }
}

function fromRunning(session: Session, seen: Seen, now: Date): Decision {
  if (session.wanted === 'terminated') return terminate(session);
  if (session.restartWish > session.restartServed)
    return move('restarting', 'restart asked for', { restartServed: session.restartWish, restarts: session.restarts + 1 });
  switch (seen.phase) {
    case 'absent':
      return fail(LOST);
    case 'created':
      return act('start');
    case 'frozen':
      if (session.wanted === 'paused') return move('pausing', 'pause asked for');
      // An engine holds it still while it makes an image of it.
      return act(isCommitting(session) ? 'commit' : 'thaw');
    case 'running':
      return session.wanted === 'paused' ? move('pausing', 'pause asked for') : committing(session, whileRunning(session, seen, now));
    case 'exited':
      if (seen.interrupted !== true) return ended(seen);
      if (!mayRepeat(session)) return fail(INTERRUPTED);
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

function fromPaused(session: Session, seen: Seen, now: Date): Decision {
  if (session.wanted === 'terminated') return terminate(session);
  if (seen.phase === 'absent') return fail(LOST);
  if (session.wanted === 'running')
    return move('pending', 'resume asked for', { frozen: session.frozen && seen.phase === 'frozen', willStopAt: null });
  if (seen.phase === 'running') return act(session.frozen ? 'freeze' : 'stop');
  if (isCommitting(session)) return act('commit');
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
      return old ? act('start') : startOver(session, seen);
  }
}

/** A process that ended before it was seen running. */
function startOver(session: Session, seen: Seen): Decision {
  if (seen.interrupted !== true) return ended(seen);
  return mayRepeat(session) ? act('start') : fail(INTERRUPTED);
}

/** What can wait until later leaves time for the image that is being made of it. */
const committing = (session: Session, decision: Decision): Decision =>
  decision.kind === 'wait' && isCommitting(session) ? act('commit') : decision;
