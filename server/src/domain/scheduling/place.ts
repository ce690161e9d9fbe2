import { clusterOf, seatsOf } from '../sessions/container-plan.ts';
import type { Grant, Seat, Session } from '../sessions/session.ts';
import { explainMachine, explainShortage, explainShortCluster } from './explain.ts';
import type { NodeCapacity } from './node-directory.ts';
import { heldOn, holdsAnything, slotsOf, thousandths, times, type Slots } from './slots.ts';

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
    const { name } = capacity;
    const seatsHere = ({ grant }: Session): readonly Seat[] => (grant === null ? [] : seatsOf(grant).filter(({ node }) => node === name));
    const holders = holding.filter((session) => holdsAnything(session) && seatsHere(session).length > 0);
    const used = holders.map((session) => heldOn(session, name));
    const taken = new Set(holders.flatMap(seatsHere).flatMap(({ devices }) => devices));
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

/**
 * Places for all containers of a session, or why each node has none: all or nothing. Of the nodes with room the one with the most CPU
 * left; a session that has containers stays with their nodes.
 */
export function place(session: Session, rooms: readonly NodeRoom[], ceilings: Ceilings): Placed {
  const candidates = rooms.filter((room) => isCandidate(session, room));
  const { size, mode } = clusterOf(session.spec);
  const together = size > 1 && mode === 'single-node';
  // Containers of one session are alike: whether all fit does not depend on which node is filled first.
  const tries = together ? byFreeCpu(candidates).map((room) => [room]) : [candidates];
  for (const some of tries) {
    const [main, ...subs] = seatAll(session, some, ceilings) ?? [];
    if (main !== undefined) return { fits: true, grant: { ...main, ...(size > 1 && { subs }) } };
  }
  const reasonOf = (room: NodeRoom): string =>
    explainMachine(session, room.capacity) ??
    explainDevices(session, room) ??
    (size === 1 ? explainShortage(session, needNow(session), room) : explainShortCluster(session, needNow(session), room));
  return { fits: false, reasons: candidates.map((room) => ({ node: room.capacity.name, reason: reasonOf(room) })) };
}

/** The node of a container that was placed before: it and its files are there. */
export const boundNode = (session: Session, rank = 0): string | null =>
  session.generation > 0 ? (session.grant === null ? null : (seatsOf(session.grant)[rank]?.node ?? null)) : session.spec.node;

function isCandidate(session: Session, { capacity: { name } }: NodeRoom): boolean {
  const ranks = Array.from({ length: clusterOf(session.spec).size }, (_, rank) => boundNode(session, rank));
  return ranks.some((bound) => bound === null || bound === name);
}

/** A frozen session still holds its memory and devices and only asks for its CPU again. */
function needNow(session: Session): Slots {
  const asked = slotsOf(session.spec);
  return session.frozen ? { cpu: asked.cpu, memoryBytes: 0, gpu: 0 } : asked;
}

/** Undefined unless every container gets a seat in these rooms. */
function seatAll(session: Session, rooms: readonly NodeRoom[], ceilings: Ceilings): readonly Seat[] | undefined {
  const need = needNow(session);
  const suits = (capacity: NodeCapacity): boolean => explainMachine(session, capacity) === undefined;
  const seats: Seat[] = [];
  let left = rooms;
  for (let rank = 0; rank < clusterOf(session.spec).size; rank += 1) {
    const bound = boundNode(session, rank);
    const fitting = left.filter(
      ({ capacity, capacity: { name, reachable }, free, freeDevices }) =>
        (bound === null || bound === name) &&
        reachable &&
        fits(need, free) &&
        suits(capacity) &&
        missingDevices(session, rank, freeDevices).length === 0,
    );
    const [best] = byFreeCpu(fitting);
    if (best === undefined) return undefined;
    const seat = seatIn(best, { session, rank, ceilings });
    seats.push(seat);
    left = left.map((room) => (room === best ? less(room, need, seat.devices) : room));
  }
  return seats;
}

const byFreeCpu = (rooms: readonly NodeRoom[]): readonly NodeRoom[] => rooms.toSorted((a, b) => b.free.cpu - a.free.cpu);

const fits = (need: Slots, free: Slots): boolean =>
  need.cpu <= Math.max(free.cpu, 0) && need.memoryBytes <= Math.max(free.memoryBytes, 0) && need.gpu <= free.gpu;

function seatIn(room: NodeRoom, { session, rank, ceilings }: { session: Session; rank: number; ceilings: Ceilings }): Seat {
  const { spec } = session;
  return {
    node: room.capacity.name,
    cpus: spec.cpu ?? room.capacity.cpu,
    memoryBytes: spec.memoryBytes ?? Math.floor(room.capacity.memoryBytes * ceilings.unreservedMemoryShare),
    devices: madeWith(session, rank) ?? room.freeDevices.slice(0, spec.gpu),
  };
}

/** The devices of a container that is there: it can have no others. */
const madeWith = ({ generation, grant }: Session, rank: number): readonly string[] | undefined =>
  generation > 0 && grant !== null ? seatsOf(grant)[rank]?.devices : undefined;

/** What a frozen one was made with it still holds. */
const missingDevices = (session: Session, rank: number, free: readonly string[]): readonly string[] =>
  session.frozen ? [] : (madeWith(session, rank) ?? []).filter((device) => !free.includes(device));

function explainDevices(session: Session, { capacity: { name }, freeDevices }: NodeRoom): string | undefined {
  const ranks = Array.from({ length: clusterOf(session.spec).size }, (_, rank) => rank).filter((rank) => boundNode(session, rank) === name);
  const missing = ranks.flatMap((rank) => missingDevices(session, rank, freeDevices));
  return missing.length === 0 ? undefined : `it was made with ${missing.join(', ')}, which another session uses now`;
}

/** The room without these slots and devices. */
function less(room: NodeRoom, need: Slots, devices: readonly string[]): NodeRoom {
  const freeDevices = room.freeDevices.filter((device) => !devices.includes(device));
  const { cpu, memoryBytes } = room.free;
  return {
    ...room,
    freeDevices,
    free: { cpu: thousandths(cpu - need.cpu), memoryBytes: memoryBytes - need.memoryBytes, gpu: freeDevices.length },
  };
}

/** The rooms once `session` has taken its places in them. */
export function take(rooms: readonly NodeRoom[], session: Session): readonly NodeRoom[] {
  const { grant } = session;
  if (grant === null) return rooms;
  return rooms.map((room) => {
    const here = seatsOf(grant).filter(({ node }) => node === room.capacity.name);
    if (here.length === 0) return room;
    const left = less(
      room,
      times(here.length, slotsOf(session.spec)),
      here.flatMap(({ devices }) => devices),
    );
    return { ...left, holders: [...room.holders, session] };
  });
}

const sum = (slots: readonly Slots[], key: keyof Slots): number => slots.reduce((total, slot) => total + slot[key], 0);
