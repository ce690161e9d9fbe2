import { nodesOf } from '../sessions/container-plan.ts';
import { moveTo, note } from '../sessions/lifecycle.ts';
import type { Session, WaitingFor } from '../sessions/session.ts';
import type { Placement } from '../sessions/session-store.ts';
import { beginStep, startTimeline } from '../sessions/timeline.ts';
import { admit } from './admit.ts';
import { explainMachine } from './explain.ts';
import type { NodeCapacity } from './node-directory.ts';
import { holdsOf, isAtWork, UserLoad } from './holds.ts';
import { inOrder, isAged, nextOf, type OrderRules } from './order.ts';
import { boundNode, place, roomsOf, take, type Ceilings, type NodeRoom } from './place.ts';
import { isReserved } from './slots.ts';

export interface QueuePolicy extends Ceilings, Omit<OrderRules, 'now'> {
  /** Notice given to a frozen session before it is stopped because another needs its memory. */
  readonly freezeNoticeMs: number;
  /** How many sessions of one user may be at work at a time; 0: as many as fit. */
  readonly sessionsPerUser: number;
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
  policy.orchestrates ? admit(picture, capacities, policy) : new QueuePass(picture, capacities, policy).run();

/** One turn after the other, in the order of the policy. What something else than room holds back comes last and is in nobody's way. */
class QueuePass {
  private readonly picture: Placement;
  private readonly policy: QueuePolicy;
  private readonly rules: OrderRules;
  private readonly load: UserLoad;
  private readonly queue: readonly Session[];
  private rooms: readonly NodeRoom[];
  private readonly moved: Session[] = [];
  private readonly waiting = new Map<string, WaitingFor>();
  private turns = 0;
  /** Somebody waits who must not be overtaken. */
  private closed = false;

  constructor(picture: Placement, capacities: readonly NodeCapacity[], policy: QueuePolicy) {
    this.picture = picture;
    this.policy = policy;
    this.rules = { ...policy, now: picture.now };
    this.load = new UserLoad(policy.sessionsPerUser, picture.holding.filter(isAtWork));
    this.queue = picture.pending.filter((session) => session.wanted === 'running');
    this.rooms = roomsOf(capacities, picture.holding);
  }

  run(): QueueOutcome {
    const held = this.queue.filter((session) => holdsOf(session, this.picture.now).length > 0);
    let left = inOrder(
      this.queue.filter((session) => !held.includes(session)),
      this.rules,
    );
    while (left.length > 0) left = this.serveOneOf(left);
    for (const session of held) this.turn(session);
    return { moved: this.moved, waiting: this.waiting };
  }

  private serveOneOf(left: readonly Session[]): readonly Session[] {
    const next = nextOf(left, this.rooms, this.rules);
    if (next !== undefined) this.turn(next);
    return left.filter((session) => session !== next);
  }

  private turn(session: Session): void {
    this.turns += 1;
    const placed = place(session, this.rooms, this.policy);
    const holds = [...holdsOf(session, this.picture.now), ...this.load.holdsOf(session)];
    if (placed.fits && holds.length === 0 && !this.isKeptBack(session)) {
      const scheduled = schedule(session, placed.grant, this.picture.now);
      this.rooms = take(this.rooms, scheduled);
      this.load.add(scheduled);
      this.moved.push(scheduled);
      return;
    }
    const kept =
      holds.length > 0 || !placed.fits
        ? []
        : nodesOf(placed.grant).map((node) => ({ node, reason: 'kept free for a session that has waited longer' }));
    const reasons = placed.fits ? kept : placed.reasons;
    this.waiting.set(session.id, { position: this.turns, of: this.queue.length, reasons, holds });
    if (holds.length > 0) return;
    if (!placed.fits && !this.isConceivable(session)) return;
    this.closed ||= this.policy.order === 'strict-fifo' || isAged(session, this.rules);
    if (!placed.fits) this.moved.push(...giveNotice(session, this.picture, { policy: this.policy, moved: this.moved }));
  }

  /** A session for which there is no kind of machine here holds nobody up, however long it waits. */
  private isConceivable(session: Session): boolean {
    const bound = boundNode(session);
    return this.rooms.some(
      ({ capacity }) => (bound === null || capacity.name === bound) && explainMachine(session, capacity) === undefined,
    );
  }

  /** What reserves nothing takes nothing from whoever waits; only a strict order holds it up. */
  private isKeptBack(session: Session): boolean {
    return this.closed && (isReserved(session.spec) || this.policy.order === 'strict-fifo');
  }
}

function schedule(session: Session, grant: NonNullable<Session['grant']>, now: Date): Session {
  const timeline = session.generation === 0 ? beginStep(session.timeline, 'image', now) : startTimeline(now, 'start');
  return moveTo(session, 'scheduled', now, {
    reason: `placed on ${nodesOf(grant).join(', ')}`,
    grant,
    waiting: null,
    timeline,
    generation: Math.max(session.generation, 1),
  });
}

/** The oldest frozen session on a node this one could use is told that it will be stopped, so that its memory comes free. */
function giveNotice(
  session: Session,
  picture: Placement,
  { policy, moved }: { policy: QueuePolicy; moved: readonly Session[] },
): readonly Session[] {
  const need = session.spec.memoryBytes ?? 0;
  if (need === 0) return [];
  const bound = boundNode(session);
  const deadline = new Date(picture.now.getTime() + policy.freezeNoticeMs);
  const frozen = picture.holding
    .filter((other) => other.state === 'paused' && other.frozen && other.id !== session.id && (other.spec.memoryBytes ?? 0) > 0)
    .filter(({ grant }) => bound === null || (grant !== null && nodesOf(grant).includes(bound)))
    .toSorted((a, b) => a.stateSince.getTime() - b.stateSince.getTime());
  const warned = frozen.some(
    (other) => (other.willStopAt !== null && other.willStopAt <= deadline) || moved.some(({ id }) => id === other.id),
  );
  const oldest = frozen[0];
  if (warned || oldest === undefined) return [];
  return [note(oldest, { willStopAt: deadline, reason: 'paused; will be stopped soon because another session needs its memory' })];
}
