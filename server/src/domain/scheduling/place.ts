import type { Grant, Session } from '../sessions/session.ts';
import { explainShortage } from './explain.ts';
import type { NodeCapacity } from './node-directory.ts';
import { heldBy, holdsAnything, slotsOf, type Slots } from './slots.ts';

/** A node with what is left of it while a queue is being placed. */
export interface NodeRoom {
  readonly capacity: NodeCapacity;
  readonly free: Slots;
  readonly freeDevices: readonly string[];
  readonly holders: readonly Session[];
}

export interface Ceilings {
  /** Share of a node's memory that a session without a memory reservation may use, 0 to 1. */
  readonly unreservedMemoryShare: number;
}

export type Placed =
  | { readonly fits: true; readonly grant: Grant }
  | { readonly fits: false; readonly reasons: readonly { readonly node: string; readonly reason: string }[] };

export function roomsOf(capacities: readonly NodeCapacity[], holding: readonly Session[]): readonly NodeRoom[] {
  return capacities.map((capacity) => {
    const holders = holding.filter((session) => session.grant?.node === capacity.name && holdsAnything(session));
    const used = holders.map(heldBy);
    const taken = new Set(holders.flatMap((session) => session.grant?.devices ?? []));
    const freeDevices = capacity.devices.filter((device) => !taken.has(device));
    return {
      capacity,
      holders,
      freeDevices,
      free: {
        cpu: thousandths(capacity.cpu - sum(used, 'cpu')),
        memoryBytes: capacity.memoryBytes - sum(used, 'memoryBytes'),
        gpu: freeDevices.length,
      },
    };
  });
}

/** The node with the most CPU left that has room, or why each has none. A session that has a container stays with its node. */
export function place(session: Session, rooms: readonly NodeRoom[], ceilings: Ceilings): Placed {
  const need = needNow(session);
  const bound = boundNode(session);
  const candidates = rooms.filter((room) => bound === null || room.capacity.name === bound);
  const fitting = candidates.filter((room) => room.capacity.reachable && fits(need, room.free)).toSorted((a, b) => b.free.cpu - a.free.cpu);
  const best = fitting[0];
  if (best !== undefined) return { fits: true, grant: grantOn(best, session, ceilings) };
  return { fits: false, reasons: candidates.map((room) => ({ node: room.capacity.name, reason: explainShortage(session, need, room) })) };
}

/** A session that was placed before keeps its node: its container and files are there. */
export const boundNode = (session: Session): string | null => (session.generation > 0 ? (session.grant?.node ?? null) : session.spec.node);

/** A frozen session still holds its memory and devices and only asks for its CPU again. */
function needNow(session: Session): Slots {
  const asked = slotsOf(session.spec);
  return session.frozen ? { cpu: asked.cpu, memoryBytes: 0, gpu: 0 } : asked;
}

const fits = (need: Slots, free: Slots): boolean =>
  need.cpu <= Math.max(free.cpu, 0) && need.memoryBytes <= Math.max(free.memoryBytes, 0) && need.gpu <= free.gpu;

function grantOn(room: NodeRoom, session: Session, ceilings: Ceilings): Grant {
  const { spec } = session;
  return {
    node: room.capacity.name,
    cpus: spec.cpu ?? room.capacity.cpu,
    memoryBytes: spec.memoryBytes ?? Math.floor(room.capacity.memoryBytes * ceilings.unreservedMemoryShare),
    devices: session.frozen ? (session.grant?.devices ?? []) : room.freeDevices.slice(0, spec.gpu),
  };
}

/** The room once `session` has taken its place in it. */
export function take(rooms: readonly NodeRoom[], session: Session): readonly NodeRoom[] {
  return rooms.map((room) => {
    if (room.capacity.name !== session.grant?.node) return room;
    const need = slotsOf(session.spec);
    const freeDevices = room.freeDevices.filter((device) => !session.grant?.devices.includes(device));
    return {
      ...room,
      freeDevices,
      free: { cpu: thousandths(room.free.cpu - need.cpu), memoryBytes: room.free.memoryBytes - need.memoryBytes, gpu: freeDevices.length },
      holders: [...room.holders, session],
    };
  });
}

const thousandths = (cpu: number): number => Math.round(cpu * 1000) / 1000;
const sum = (slots: readonly Slots[], key: keyof Slots): number => slots.reduce((total, slot) => total + slot[key], 0);
