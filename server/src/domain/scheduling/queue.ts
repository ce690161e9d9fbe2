import { moveTo, note } from '../sessions/lifecycle.ts';
import type { Session, WaitingFor } from '../sessions/session.ts';
import type { Placement } from '../sessions/session-store.ts';
import { beginStep, startTimeline } from '../sessions/timeline.ts';
import { admit } from './admit.ts';
import type { NodeCapacity } from './node-directory.ts';
import { boundNode, place, roomsOf, take, type Ceilings } from './place.ts';
import { isReserved } from './slots.ts';

export interface QueuePolicy extends Ceilings {
  /** A session that waited longer is not overtaken any more by later ones that need what it waits for. */
  readonly agingMs: number;
  /** Notice given to a frozen session before it is stopped because another needs its memory. */
  readonly freezeNoticeMs: number;
  /** The runtime finds the places. */
  readonly orchestrates: boolean;
}

export interface QueueOutcome {
  /** Sessions that got a place, and frozen ones that were given notice. */
  readonly moved: readonly Session[];
  readonly waiting: ReadonlyMap<string, WaitingFor>;
}

/** One pass over the queue. */
export const runQueue = (picture: Placement, capacities: readonly NodeCapacity[], policy: QueuePolicy): QueueOutcome =>
  policy.orchestrates ? admit(picture, capacities, policy) : placeAll(picture, capacities, policy);

/** Oldest first: first in, first out, with later ones that fit let through until somebody has waited too long. */
function placeAll(picture: Placement, capacities: readonly NodeCapacity[], policy: QueuePolicy): QueueOutcome {
  let rooms = roomsOf(capacities, picture.holding);
  const moved: Session[] = [];
  const waiting = new Map<string, WaitingFor>();
  const queue = picture.pending.filter((session) => session.wanted === 'running');
  let closed = false;
  for (const [index, session] of queue.entries()) {
    const placed = place(session, rooms, policy);
    if (placed.fits && !(closed && isReserved(session.spec))) {
      const scheduled = schedule(session, placed.grant, picture.now);
      rooms = take(rooms, scheduled);
      moved.push(scheduled);
      continue;
    }
    const reasons = placed.fits ? [{ node: placed.grant.node, reason: 'kept free for a session that has waited longer' }] : placed.reasons;
    waiting.set(session.id, { position: index + 1, of: queue.length, reasons });
    closed ||= picture.now.getTime() - session.stateSince.getTime() > policy.agingMs;
    if (!placed.fits) moved.push(...giveNotice(session, picture, policy, moved));
  }
  return { moved, waiting };
}

function schedule(session: Session, grant: NonNullable<Session['grant']>, now: Date): Session {
  const timeline = session.generation === 0 ? beginStep(session.timeline, 'image', now) : startTimeline(now, 'start');
  return moveTo(session, 'scheduled', now, {
    reason: `placed on ${grant.node}`,
    grant,
    waiting: null,
    timeline,
    generation: Math.max(session.generation, 1),
  });
}

/** The oldest frozen session on a node this one could use is told that it will be stopped, so that its memory comes free. */
function giveNotice(session: Session, picture: Placement, policy: QueuePolicy, moved: readonly Session[]): readonly Session[] {
  const need = session.spec.memoryBytes ?? 0;
  if (need === 0) return [];
  const bound = boundNode(session);
  const deadline = new Date(picture.now.getTime() + policy.freezeNoticeMs);
  const frozen = picture.holding
    .filter((other) => other.state === 'paused' && other.frozen && other.id !== session.id && (other.spec.memoryBytes ?? 0) > 0)
    .filter((other) => bound === null || other.grant?.node === bound)
    .toSorted((a, b) => a.stateSince.getTime() - b.stateSince.getTime());
  const warned = frozen.some(
    (other) => (other.willStopAt !== null && other.willStopAt <= deadline) || moved.some(({ id }) => id === other.id),
  );
  const oldest = frozen[0];
  if (warned || oldest === undefined) return [];
  return [note(oldest, { willStopAt: deadline, reason: 'paused; will be stopped soon because another session needs its memory' })];
}
