import { note } from '../sessions/lifecycle.ts';
import type { Session, WaitingFor } from '../sessions/session.ts';
import type { Placement } from '../sessions/session-store.ts';
import { closeAll } from '../sessions/timeline.ts';
import type { NodeCapacity } from './node-directory.ts';
import type { Ceilings } from './place.ts';
import type { QueueOutcome } from './queue.ts';

/**
 * Where the cluster finds the places, the queue only lets sessions in: each gets what it may use at most, and the generation
 * of the container that is now made. It stays pending until the cluster has placed that.
 */
export function admit(picture: Placement, capacities: readonly NodeCapacity[], ceilings: Ceilings): QueueOutcome {
  const asking = picture.pending.filter((session) => session.wanted === 'running' && session.grant === null);
  // A server that began without its cluster knows of no node yet, but shows one that has nothing.
  const known = capacities.filter(({ cpu }) => cpu > 0);
  if (known.length > 0)
    return { moved: asking.map((session) => admitted(session, known, { ...ceilings, now: picture.now })), waiting: new Map() };
  const waiting = asking.map((session, index): [string, WaitingFor] => [
    session.id,
    { position: index + 1, of: asking.length, reasons: [] },
  ]);
  return { moved: [], waiting: new Map(waiting) };
}

function admitted(session: Session, capacities: readonly NodeCapacity[], rules: Ceilings & { readonly now: Date }): Session {
  const { spec } = session;
  const largest = (of: (node: NodeCapacity) => number): number => Math.max(...capacities.map(of));
  return note(session, {
    reason: 'asked the cluster for a place',
    waiting: null,
    timeline: closeAll(session.timeline, rules.now),
    generation: session.generation + 1,
    grant: {
      node: '',
      cpus: spec.cpu ?? largest(({ cpu }) => cpu),
      memoryBytes: spec.memoryBytes ?? Math.floor(largest(({ memoryBytes }) => memoryBytes) * rules.unreservedMemoryShare),
      devices: [],
    },
  });
}
