import { formatBytes } from '@berth/contract';
import { clusterOf, seatsOf } from '../sessions/container-plan.ts';
import type { Cluster, Session, WaitingFor } from '../sessions/session.ts';
import type { NodeCapacity } from './node-directory.ts';
import type { NodeRoom } from './place.ts';
import { heldBy, thousandths, times, type Slots } from './slots.ts';

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

/** "n1 is x86_64, aarch64 was asked for"; undefined: it is what was asked for. */
export function explainMachine({ spec }: Session, { name, architecture }: NodeCapacity): string | undefined {
  if (spec.architecture === undefined || spec.architecture === architecture) return undefined;
  return `${name} is ${architecture || 'of an unknown architecture'}, ${spec.architecture} was asked for`;
}

/** "needs 2 GPUs, 1 free of 4 (3 in use by your session train-7 and 2 others)". */
export function explainShortage(session: Session, need: Slots, room: NodeRoom): string {
  const short = shortages(session, need, room);
  if (!room.capacity.reachable) return 'its engine does not answer';
  return short.length > 0 ? short.join('; ') : 'kept free for a session that has waited longer';
}

/** The same for a session of several containers, each of which needs this. */
export function explainShortCluster(session: Session, need: Slots, room: NodeRoom): string {
  const { spec, grant, generation } = session;
  const { size, mode } = clusterOf(spec);
  if (!room.capacity.reachable) return 'its engine does not answer';
  if (mode === 'single-node') return `${explainShortage(session, times(size, need), room)}, for its ${size} containers`;
  const kept = generation > 0 && grant !== null ? seatsOf(grant).filter(({ node }) => node === room.capacity.name).length : size;
  const fitting = Math.min(kept, roomFor(need, room.free));
  if (fitting === kept) return `room for ${fitting} of its ${size} containers, and not for the others elsewhere`;
  const { free } = room;
  const taken = times(fitting, need);
  const left = { cpu: thousandths(free.cpu - taken.cpu), memoryBytes: free.memoryBytes - taken.memoryBytes, gpu: free.gpu - taken.gpu };
  const next = explainShortage(session, need, { ...room, free: left });
  return fitting === 0 ? next : `room for ${fitting} of its ${size} containers, the next ${next}`;
}

/** How many that need this fit; a million where they need nothing. */
function roomFor(need: Slots, free: Slots): number {
  const of = (part: number, whole: number): number => (part > 0 ? Math.floor(Math.max(whole, 0) / part + 1e-9) : 1e6);
  return Math.min(of(need.cpu, free.cpu), of(need.memoryBytes, free.memoryBytes), of(need.gpu, free.gpu));
}

function shortages(session: Session, need: Slots, room: NodeRoom): readonly string[] {
  const { capacity, free } = room;
  const short: string[] = [];
  if (need.cpu > free.cpu) {
    short.push(`needs ${count(need.cpu, 'CPU')}, ${Math.max(free.cpu, 0)} free of ${capacity.cpu}${usedBy(session, room, 'cpu')}`);
  }
  if (need.memoryBytes > free.memoryBytes) {
    short.push(
      `needs ${formatBytes(need.memoryBytes)} of memory, ${formatBytes(Math.max(free.memoryBytes, 0))} free of ${formatBytes(capacity.memoryBytes)}${usedBy(session, room, 'memoryBytes')}`,
    );
  }
  if (need.gpu > free.gpu) {
    short.push(`needs ${count(need.gpu, 'GPU')}, ${free.gpu} free of ${capacity.devices.length}${usedBy(session, room, 'gpu')}`);
  }
  return short;
}

/** Names only the asker's own sessions. */
function usedBy(session: Session, room: NodeRoom, slot: keyof Slots): string {
  const holders = room.holders.filter((holder) => heldBy(holder)[slot] > 0);
  if (holders.length === 0) return '';
  const own = holders.filter((holder) => holder.ownerId === session.ownerId).slice(0, 3);
  const others = holders.length - own.length;
  const parts = own.map((holder) => holder.name);
  const named = parts.length === 0 ? '' : `your ${parts.length === 1 ? 'session' : 'sessions'} ${parts.join(', ')}`;
  const rest = others === 0 ? '' : count(others, parts.length === 0 ? 'session' : 'other');
  return ` (in use by ${[named, rest].filter((part) => part !== '').join(' and ')})`;
}

/** One line for the terminal and the reason column. */
export function waitingText(waiting: WaitingFor): string {
  const held = (waiting.holds ?? []).map(({ reason }) => reason);
  const reasons = [
    ...held,
    ...waiting.reasons.map(({ node, reason }) => (reason.startsWith(`${node} is `) ? reason : `${reason} on ${node}`)),
  ];
  const place = waiting.of > 1 ? ` (${ordinal(waiting.position)} of ${waiting.of} in the queue)` : '';
  return reasons.length === 0 ? `waiting: no node is known yet${place}` : `waiting: ${reasons.join('; ')}${place}`;
}

function ordinal(n: number): string {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${tail}`;
}

type Capacities = readonly { name: string; cpu: number; memoryBytes: number; devices: readonly string[] }[];
const SINGLE: Cluster = { size: 1, mode: 'single-node' };

/** Why no node could ever run it, with the largest that could be had; undefined if one could. `need` is what each of its containers needs. */
export function neverFits(need: Slots, capacities: Capacities, cluster = SINGLE): string | undefined {
  const { size, mode } = cluster;
  const holds = capacities.map(({ cpu, memoryBytes, devices }) => roomFor(need, { cpu, memoryBytes, gpu: devices.length }));
  const most = mode === 'single-node' ? Math.max(...holds) : holds.reduce((sum, here) => sum + here, 0);
  if (capacities.length === 0 || most >= size) return undefined;
  const largest = capacities.map(
    (node) =>
      `${node.name} has ${count(node.cpu, 'CPU')}, ${formatBytes(node.memoryBytes)} of memory and ${count(node.devices.length, 'GPU')}`,
  );
  if (size === 1) return `no node could ever hold ${slotWords(need)}: ${largest.join('; ')}. Ask for no more than that`;
  const together = mode === 'single-node' ? 'which no node could ever hold' : 'and the nodes could never hold them';
  const asked = `${size} containers with ${slotWords(need)} each need ${slotWords(times(size, need))}, ${together}`;
  return `${asked}: ${largest.join('; ')}. Ask for fewer containers (at most ${most} of these), or for less in each`;
}

const slotWords = ({ cpu, memoryBytes, gpu }: Slots): string =>
  [cpu > 0 ? count(cpu, 'CPU') : '', memoryBytes > 0 ? `${formatBytes(memoryBytes)} of memory` : '', gpu > 0 ? count(gpu, 'GPU') : '']
    .filter((part) => part !== '')
    .join(', ');
