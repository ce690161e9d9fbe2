import type { NodeRoom } from './place.ts';
import { heldOn, type Slots } from './slots.ts';

const NOTHING: Slots = { cpu: 0, memoryBytes: 0, gpu: 0 };

/** What each user holds of the resource that she holds most of, 0 to 1, over all nodes. */
export function sharesOf(rooms: readonly NodeRoom[]): ReadonlyMap<string, number> {
  const total = rooms
    .map(({ capacity }) => ({ cpu: capacity.cpu, memoryBytes: capacity.memoryBytes, gpu: capacity.devices.length }))
    .reduce(plus, NOTHING);
  const held = new Map<string, Slots>();
  for (const { capacity, holders } of rooms)
    for (const session of holders) held.set(session.ownerId, plus(held.get(session.ownerId) ?? NOTHING, heldOn(session, capacity.name)));
  return new Map([...held].map(([owner, slots]) => [owner, dominant(slots, total)]));
}

const plus = (a: Slots, b: Slots): Slots => ({ cpu: a.cpu + b.cpu, memoryBytes: a.memoryBytes + b.memoryBytes, gpu: a.gpu + b.gpu });

const dominant = (held: Slots, total: Slots): number =>
  Math.max(of(held.cpu, total.cpu), of(held.memoryBytes, total.memoryBytes), of(held.gpu, total.gpu));

const of = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
