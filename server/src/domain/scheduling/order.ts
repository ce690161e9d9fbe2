import { readySince } from '../sessions/dependencies.ts';
import type { Session } from '../sessions/session.ts';
import { sharesOf } from './dominant-share.ts';
import type { NodeRoom } from './place.ts';

export const QUEUE_ORDERS = ['fifo', 'strict-fifo', 'lifo', 'drf'] as const;

/**
 * `fifo`: oldest first, later ones that fit are let through. `strict-fifo`: nobody is let through. `lifo`: newest first.
 * `drf`: the user with the smallest dominant share first, of hers the oldest.
 */
export type QueueOrder = (typeof QUEUE_ORDERS)[number];

export interface OrderRules {
  readonly order: QueueOrder;
  /** A session that waited longer comes before all others, and is not overtaken by later ones that need what it waits for. */
  readonly agingMs: number;
  readonly now: Date;
}

/** It has waited so long that it comes first, whatever the order. */
export function isAged(session: Session, { agingMs, now }: OrderRules): boolean {
  const since = readySince(session, now);
  return since !== null && now.getTime() - since.getTime() > agingMs;
}

/** Of sessions that come oldest first: who has waited too long, oldest first, then the others. */
export function inOrder(sessions: readonly Session[], rules: OrderRules): readonly Session[] {
  const aged = sessions.filter((session) => isAged(session, rules));
  const others = sessions.filter((session) => !isAged(session, rules));
  return [...aged, ...(rules.order === 'lifo' ? others.toReversed() : others)];
}

/** Whose turn it is among those that are left, in order; with `drf` that depends on who got what before. */
export function nextOf(left: readonly Session[], rooms: readonly NodeRoom[], rules: OrderRules): Session | undefined {
  const [first] = left;
  if (first === undefined || rules.order !== 'drf' || isAged(first, rules)) return first;
  const shares = sharesOf(rooms);
  const shareOf = ({ ownerId }: Session): number => shares.get(ownerId) ?? 0;
  return left.reduce((poorest, session) => (shareOf(session) < shareOf(poorest) ? session : poorest));
}
