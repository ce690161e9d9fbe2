import { formatBytes } from '@berth/contract';
import type { Session, WaitingFor } from '../sessions/session.ts';
import type { NodeRoom } from './place.ts';
import { heldBy, type Slots } from './slots.ts';

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

/** "needs 2 GPUs, 1 free of 4 (3 in use by your session train-7 and 2 others)". */
export function explainShortage(session: Session, need: Slots, room: NodeRoom): string {
  const { capacity, free } = room;
  if (!capacity.reachable) return 'its engine does not answer';
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
  return short.length > 0 ? short.join('; ') : 'kept free for a session that has waited longer';
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
  const reasons = [...held, ...waiting.reasons.map(({ node, reason }) => `${reason} on ${node}`)];
  const place = waiting.of > 1 ? ` (${ordinal(waiting.position)} of ${waiting.of} in the queue)` : '';
  return reasons.length === 0 ? `waiting: no node is known yet${place}` : `waiting: ${reasons.join('; ')}${place}`;
}

function ordinal(n: number): string {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${tail}`;
}

/** Why no node could ever run it, with the largest that could be had; undefined if one could. */
export function neverFits(
  need: Slots,
  capacities: readonly { name: string; cpu: number; memoryBytes: number; devices: readonly string[] }[],
): string | undefined {
  const could = capacities.some((node) => need.cpu <= node.cpu && need.memoryBytes <= node.memoryBytes && need.gpu <= node.devices.length);
  if (could || capacities.length === 0) return undefined;
  const largest = capacities.map(
    (node) =>
      `${node.name} has ${count(node.cpu, 'CPU')}, ${formatBytes(node.memoryBytes)} of memory and ${count(node.devices.length, 'GPU')}`,
  );
  const asked = [
    need.cpu > 0 ? count(need.cpu, 'CPU') : '',
    need.memoryBytes > 0 ? `${formatBytes(need.memoryBytes)} of memory` : '',
    need.gpu > 0 ? count(need.gpu, 'GPU') : '',
  ];
  return `no node could ever hold ${asked.filter((part) => part !== '').join(', ')}: ${largest.join('; ')}. Ask for no more than that`;
}
