import { z } from 'zod';
import type { Page, PageRequest } from '../../../domain/users/user-store.ts';
import { check } from '../../check.ts';
import { Refusal } from '../refusal.ts';

const MOST_AT_ONCE = 100;
const AT_ONCE = 200;
/** Nobody has so many users and key pairs; a list that goes on for ever ends here. */
const MOST_LISTED = 10_000;

const Offset = z.object({
  limit: z.number().int().min(0).max(MOST_AT_ONCE, `at most ${MOST_AT_ONCE} at a time`).nullish(),
  offset: z.number().int().min(0).nullish(),
});
const Filter = z.object({ filter: z.string().nullish() });

/** Which part of a list is asked for. */
export function offsetIn(args: unknown): { offset: number; limit: number } {
  const { limit, offset } = check(Offset, args);
  return { offset: offset ?? 0, limit: limit ?? MOST_AT_ONCE };
}

/** Their language for filters is not spoken here, and leaving one out silently would show too much. */
export function withoutFilter(args: unknown): void {
  if (!check(Filter, args).filter?.trim()) return;
  throw new Refusal(
    'not-implemented',
    'filter is not there yet: use the other arguments of the list (status, group_id, access_key, is_active)',
  );
}

/** A list that is kept in pages, all of it. */
export async function everything<T>(page: (request: PageRequest) => Promise<Page<T>>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let cursor: string | null = null; all.length < MOST_LISTED;) {
    const { items, next }: Page<T> = await page({ limit: AT_ONCE, cursor });
    all.push(...items);
    if (next === null) break;
    cursor = next;
  }
  return all;
}

/** `{items, total_count}` of a whole list. */
export function pageOf<T>(all: readonly T[], args: unknown): { items: readonly T[]; total_count: number } {
  const { offset, limit } = offsetIn(args);
  return { items: all.slice(offset, offset + limit), total_count: all.length };
}
