import type { Cause } from '@berth/contract';
import { formatDuration } from '@berth/contract';
import { waitingText } from '../scheduling/explain.ts';
import { nodesOf } from './container-plan.ts';
import { runningReason } from './container-view.ts';
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
  LOST,
  mayRepeat,
  move,
  noRoom,
  settled,
  terminate,
  timedOut,
  wait,
  whileRunning,
  type Decision,
  type LifePolicy,
  type Move,
  type Seen,
} from './decision.ts';
import { note } from './lifecycle.ts';
import type { Grant, Session } from './session.ts';
import { beginStep } from './timeline.ts';
import { untilReady } from './until-ready.ts';

const NEVER_PLACED = 'cancelled before it got a place';
/** Events tell of changes sooner; this is for those that are lost. */
const LOOK_MS = 2_000;
const PARTLY_PLACED_MS = 30_000;
const SPREAD_MS = 100;

/**
 * A cluster places containers and gets images by itself. A container that has ended is never started again: pausing gives it up,
 * resuming and restarting put one of the next generation in its place.
 */
export function decideOnCluster(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  if (session.wanted === 'terminated' && isUnderWay(session))
    return session.startedAt === null && session.state === 'pending' ? withdraw(NEVER_PLACED, null) : terminate(session);
  if (seen.silent !== undefined && isUnderWay(session)) return whileSilent(session, seen.silent, now, policy);
  switch (session.state) {
    case 'pending':
      return fromPending(session, seen, now, policy);
    case 'scheduled':
    case 'pulling':
      return fromImage(session, seen, now, policy);
    case 'preparing':
      return fromPreparing(session, seen, now, policy);
    case 'running':
      return fromRunning(session, seen, now);
    case 'pausing':
      return fromPausing(session, seen);
    case 'paused':
      return fromPaused(session, seen);
    case 'restarting':
      return fromRestarting(session, seen, now, policy);
    case 'terminating':
      return seen.silent === undefined ? fromTerminating(session, seen, now, policy) : act('remove');
    case 'terminated':
    case 'cancelled':
    case 'error':
      return settled;
  }
}

/** Something of it may be in the cluster, and it is not ending yet. */
const isUnderWay = (session: Session): boolean =>
  session.state === 'pending' ? session.generation > 0 : !['terminating', 'terminated', 'cancelled', 'error'].includes(session.state);

/** Silence proves nothing about the process; only after a long one is it given up. */
function whileSilent(session: Session, silent: NonNullable<Seen['silent']>, now: Date, policy: LifePolicy): Decision {
  const leftMs = policy.nodeLostMs - (now.getTime() - silent.since.getTime());
  if (leftMs <= 0) return fail(nodeLost(session, silent.since, policy.nodeLostMs));
  return session.reason === silent.message ? wait(Math.min(leftMs, 2 * LOOK_MS)) : say(session, silent.message);
}

function fromPending(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  if (session.wanted === 'terminated') return move('cancelled', NEVER_PLACED, { endedAt: now });
  if (session.wanted === 'paused' && session.startedAt !== null) {
    return seen.phase === 'absent' ? move('paused', 'paused again before it got a place', { waiting: null, grant: null }) : act('release');
  }
  const failed = session.generation === 0 ? failedDependency(session) : undefined;
  if (failed !== undefined) return giveUp(dependencyFailed(failed), now);
  const limit = session.spec.pendingTimeoutMs ?? policy.pendingMs;
  const late = session.startedAt === null && isLate(session, now, limit);
  if (session.grant === null && seen.phase !== 'absent') return act('release');
  if (session.grant === null) return late ? giveUp(noRoom(session, limit), now) : act('place');
  if (seen.phase === 'absent') return act('create');
  if (seen.phase === 'exited') return ended(seen);
  if (seen.node !== undefined) {
    const grant = grantAt(session.grant, seen);
    const timeline = beginStep(session.timeline, 'image', now);
    return move('scheduled', `placed on ${nodesOf(grant).join(', ')}`, { grant, waiting: null, timeline });
  }
  if (seen.isPartlyPlaced === true && isStuck(session, session.grant, now)) return act('ask-again');
  return late ? withdraw('no room', noRoom(session, limit)) : whileWaiting(session, seen);
}

function fromImage(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  if (seen.phase === 'absent') return act('create');
  if (seen.phase === 'exited') return ended(seen);
  // Before the image the node makes the volumes ready, and says little of what it is at.
  if (session.state === 'scheduled' && seen.waiting?.for === 'container') return untilStartable(session, seen, now, policy.readyMs);
  if (seen.waiting?.for !== 'image')
    return move('preparing', 'preparing its container', { timeline: beginStep(session.timeline, 'create', now) });
  if (session.state === 'scheduled') {
    const timeline = beginStep(session.timeline, 'image', now, seen.waiting.message);
    return move('pulling', seen.waiting.message, { timeline });
  }
  return age(session, now) > policy.pullMs ? fail(timedOut('its image', 'has not arrived', policy.pullMs)) : whileWaiting(session, seen);
}

function fromPreparing(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  switch (seen.phase) {
    case 'absent':
      return act('create');
    case 'created':
      return untilStartable(session, seen, now, seen.waiting?.for === 'image' ? policy.pullMs : policy.readyMs);
    case 'running':
    case 'frozen':
      return located(session, seen, untilReady(session, seen, now, policy.readyMs));
    case 'exited':
      if (seen.interrupted !== true) return ended(seen);
      return mayRepeat(session) ? act('replace') : fail(INTERRUPTED);
  }
}

function fromRunning(session: Session, seen: Seen, now: Date): Decision {
  if (session.restartWish > session.restartServed)
    return move('restarting', 'restart asked for', { restartServed: session.restartWish, restarts: session.restarts + 1 });
  switch (seen.phase) {
    case 'absent':
      return fail(LOST);
    case 'created':
      return act('start');
    case 'running':
    case 'frozen':
      if (session.wanted === 'paused') return move('pausing', 'pause asked for');
      return fromRunningWell(session, seen, now);
    case 'exited':
      if (seen.interrupted !== true) return ended(seen);
      if (!mayRepeat(session)) return fail(INTERRUPTED);
      return move('restarting', 'its node was restarted; starting it again', { restarts: session.restarts + 1 });
  }
}

function fromRunningWell(session: Session, seen: Seen, now: Date): Decision {
  const reason = runningReason(session.subs);
  return session.reason === reason ? whileRunning(session, seen, now) : say(session, reason);
}

/** Also what is gone may have left something: whoever deleted the pod did not think of what belongs to it. */
function fromPausing(session: Session, seen: Seen): Decision {
  switch (seen.phase) {
    case 'absent':
    case 'created':
      return act('vacate');
    case 'running':
    case 'frozen':
      return act('stop');
    case 'exited':
      return act(session.logsKept ? 'vacate' : 'keep-log');
  }
}

function fromPaused(session: Session, seen: Seen): Decision {
  if (seen.phase !== 'absent') return act('release');
  return session.wanted === 'running' ? move('pending', 'resume asked for', NO_CONTAINER) : wait(null);
}

function fromRestarting(session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision {
  const old = isOldProcess(session, seen);
  switch (seen.phase) {
    case 'absent':
      return act('replace');
    case 'created':
      return untilStartable(session, seen, now, policy.pendingMs);
    case 'running':
    case 'frozen':
      return old ? act('stop') : located(session, seen, untilReady(session, seen, now, policy.restartMs));
    case 'exited':
      if (old && !session.logsKept) return act('keep-log');
      if (old) return act('release');
      if (seen.interrupted !== true) return ended(seen);
      return mayRepeat(session) ? act('release') : fail(INTERRUPTED);
  }
}

function untilStartable(session: Session, seen: Seen, now: Date, limitMs: number): Decision {
  if (seen.waiting === undefined) return act('start');
  return age(session, now) > limitMs ? fail(neverStarted(session, limitMs)) : whileWaiting(session, seen);
}

/** A container that took another's place may be elsewhere. */
const located = (session: Session, seen: Seen, decision: Decision): Decision =>
  decision.kind === 'move' && decision.to === 'running' && seen.node !== undefined && session.grant !== null
    ? { ...decision, changes: { ...decision.changes, grant: grantAt(session.grant, seen) } }
    : decision;

/** Where the cluster has put its containers, as far as that is known. */
function grantAt(grant: Grant, { node = grant.node, subs = [] }: Seen): Grant {
  const seats = grant.subs?.map((seat, index) => ({ ...seat, node: subs[index]?.node ?? seat.node }));
  return { ...grant, node, ...(seats !== undefined && { subs: seats }) };
}

/**
 * Two sessions of several containers may each hold places that the other waits for: one gives its own back first, because each
 * holds them for another time.
 */
function isStuck({ id }: Session, { askedAt }: Grant, now: Date): boolean {
  const patienceMs = PARTLY_PLACED_MS + Number.parseInt(id.slice(-2), 16) * SPREAD_MS;
  return askedAt !== undefined && now.getTime() - Date.parse(askedAt) > patienceMs;
}

/** Keeps the reason true. */
function whileWaiting(session: Session, seen: Seen): Decision {
  const { waiting } = seen;
  if (waiting === undefined) return wait(LOOK_MS);
  if (waiting.for !== 'room') return session.reason === waiting.message ? wait(LOOK_MS) : say(session, waiting.message, 'progress');
  const room = { position: 1, of: 1, reasons: waiting.reasons };
  const reason = waitingText(room);
  return session.reason === reason ? wait(LOOK_MS) : { kind: 'note', reason, changes: { waiting: room }, event: 'waiting' };
}

const say = (session: Session, reason: string, event: 'notice' | 'progress' = 'notice'): Decision => ({
  kind: 'note',
  reason,
  changes: { waiting: null, timeline: session.timeline },
  event,
});

/** It never ran, but something of it is in the cluster. */
function withdraw(text: string, cause: Cause | null): Decision {
  const reason = cause?.message ?? text;
  return move('terminating', reason, { ending: { state: 'cancelled', reason, exitCode: null, cause }, waiting: null });
}

/** Its next container is a new one in every respect. */
const NO_CONTAINER = { grant: null, processStartedAt: null, logsKept: false, willStopAt: null };

/** How long the places of one that is asked for again are left to others, and why it waits. */
export const ASKED_AGAIN_MS = 5_000;
export const askedAgain = (session: Session): Session =>
  note(session, {
    reason: 'only some of its containers had found a place: they were given back, and are asked for again',
    grant: null,
    waiting: null,
  });

/** What a session becomes once nothing of it is left in the cluster: the last step of `vacate`. */
export const vacated = (): Move => move('paused', 'paused: files kept, memory and CPU given back', { ...NO_CONTAINER, frozen: false });

const nodeLost = (session: Session, since: Date, limitMs: number): Cause => ({
  code: 'node-lost',
  message: `node lost: ${session.grant?.node ?? 'its node'} has not answered since ${since.toISOString()}, longer than ${formatDuration(limitMs)}`,
  remedy: 'create the session again: files in the home folder are kept where storages outlive a node',
});
const neverStarted = (session: Session, limitMs: number): Cause => ({
  code: 'timed-out',
  message: `its container was not ready to start within ${formatDuration(limitMs)}: ${session.reason}`,
  remedy: 'if the reason does not help, ask whoever runs this installation',
});
