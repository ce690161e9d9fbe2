import { ProblemError } from '@berth/contract';
import { isUuid } from './uuid.ts';

/** Where a page ended, opaque to clients: the key of its last item. */
export const encodeCursor = (key: string): string => Buffer.from(key).toString('base64url');

/** null for null; ProblemError invalid-field for what no page answered. */
export function decodeCursor(cursor: string | null, fits: (key: string) => boolean = isUuid): string | null {
  if (cursor === null) return null;
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (fits(key) && encodeCursor(key) === cursor) return key;
  throw new ProblemError('invalid-field', `"${cursor}" is no cursor of this list: hand back "next" of a page as it came, or leave it out`, {
    field: 'cursor',
  });
}

/** A page out of one row more than asked for. */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): { items: readonly T[]; next: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null };
}
