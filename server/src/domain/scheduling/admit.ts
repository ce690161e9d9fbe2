import { clusterOf } from '../sessions/container-plan.ts';
import { note } from '../sessions/lifecycle.ts';
import type { Seat, Session, WaitingFor } from '../sessions/session.ts';
import type { Placement } from '../sessions/session-store.ts';
import { closeAll } from '../sessions/timeline.ts';
import { holdsOf, isAtWork, UserLoad } from './holds.ts';
import type { NodeCapacity } from './node-directory.ts';
import { inOrder } from './order.ts';
import type { Ceilings } from './place.ts';
import type { QueueOutcome, QueuePolicy } from './queue.ts';

/**
 * Where the cluster finds the places, the queue only lets sessions in: each gets what it may use at most, and the generation
 * of the container that is now made. It stays pending until the cluster has placed that.
 */
export function admit(picture: Placement, capacities: readonly NodeCapacity[], policy: QueuePolicy): QueueOutcome {
  const { now, pending, holding } = picture;
  const isIn = (session: Session): boolean => session.grant !== null;
  const load = new UserLoad(policy.sessionsPerUser, [...holding.filter(isAtWork), ...pending.filter(isIn)]);
  const asking = pending.filter((session) => session.wanted === 'running' && !isIn(session));
  const ready = asking.filter((session) => holdsOf(session, now).length === 0);
  const queue = [...inOrder(ready, { ...policy, now }), ...asking.filter((session) => !ready.includes(session))];
  // A server that began without its cluster knows of no node yet, but shows one that has nothing.
  const known = capacities.filter(({ cpu }) => cpu > 0);
  const moved: Session[] = [];
  const waiting = new Map<string, WaitingFor>();
  for (const [index, session] of queue.entries()) {
    const holds = [...holdsOf(session, now), ...load.holdsOf(session)];
    if (holds.length === 0 && known.length > 0) {
      moved.push(admitted(session, known, { ...policy, now }));
      load.add(session);
    } else {
      waiting.set(session.id, { position: index + 1, of: queue.length, reasons: [], holds });
    }
  }
  return { moved, waiting };
}

function admitted(session: Session, capacities: readonly NodeCapacity[], rules: Ceilings & { readonly now: Date }): Session {
  const { spec } = session;
  const largest = (of: (node: NodeCapacity) => number): number => Math.max(...capacities.map(of));
  const seat: Seat = {
    node: '',
    cpus: spec.cpu ?? largest(({ cpu }) => cpu),
    memoryBytes: spec.memoryBytes ?? Math.floor(largest(({ memoryBytes }) => memoryBytes) * rules.unreservedMemoryShare),
    devices: [],
  };
  const subs = Array.from({ length: clusterOf(spec).size - 1 }, () => seat);
  return note(session, {
    reason: 'asked the cluster for a place',
    waiting: null,
    timeline: closeAll(session.timeline, rules.now),
    generation: session.generation + 1,
    grant: { ...seat, ...(subs.length > 0 && { subs, askedAt: rules.now.toISOString() }) },
  });
}
