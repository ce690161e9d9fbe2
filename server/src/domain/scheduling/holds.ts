import type { Hold } from '@berth/contract';
import { unfinished } from '../sessions/dependencies.ts';
import { HOLDS_CPU } from '../sessions/lifecycle.ts';
import type { Session } from '../sessions/session.ts';

const NAMED_AT_MOST = 3;

/** What keeps it out of the queue whatever room there is. */
export function holdsOf(session: Session, now: Date): readonly Hold[] {
  const { startsAt } = session;
  const early: Hold[] = startsAt === null || startsAt <= now ? [] : [{ rule: 'starts-at', reason: `starts at ${startsAt.toISOString()}` }];
  const before = unfinished(session).map(({ name, state }) => `${name} (${state})`);
  if (before.length === 0) return early;
  const more = before.length - NAMED_AT_MOST;
  const named = [...before.slice(0, NAMED_AT_MOST), ...(more > 0 ? [`${more} more`] : [])];
  return [...early, { rule: 'dependencies', reason: `follows ${named.join(', ')}` }];
}

/** How many sessions of each user have a place, while a queue is being placed. */
export class UserLoad {
  private readonly limit: number;
  private readonly active = new Map<string, number>();

  /** At most `limit` sessions for each user; 0: as many as fit. */
  constructor(limit: number, active: readonly Session[]) {
    this.limit = limit;
    for (const session of active) this.add(session);
  }

  add({ ownerId }: Session): void {
    this.active.set(ownerId, this.of(ownerId) + 1);
  }

  holdsOf({ ownerId }: Session): readonly Hold[] {
    if (this.limit === 0 || this.of(ownerId) < this.limit) return [];
    const reason = `you have ${this.of(ownerId)} sessions at work, and nobody may have more than ${this.limit} at a time`;
    return [{ rule: 'session-limit', reason }];
  }

  private of(ownerId: string): number {
    return this.active.get(ownerId) ?? 0;
  }
}

/** Paused sessions do not count: they ask again when they are resumed. */
export const isAtWork = ({ state }: Session): boolean => HOLDS_CPU.includes(state);
