import { describe, expect, test } from 'vitest';
import { exampleSession, T0 } from '../sessions/example-session.ts';
import type { StoredEvent } from '../sessions/session-store.ts';
import { MOST_WAITING, planTellings } from './delivery-plan.ts';

const session = exampleSession({ state: 'terminated', startedAt: T0, endedAt: T0 });
const DAY = 86_400_000;
const later = (ms: number): Date => new Date(T0.getTime() + ms);
const event = (n: number, changes: Partial<StoredEvent> = {}): StoredEvent => ({
  id: `1-${n}`,
  sessionId: session.id,
  ownerId: 'u1',
  at: T0,
  kind: 'state',
  state: 'running',
  message: '',
  ...changes,
});

describe('what is to be told', () => {
  test("is told in the order in which it happened; what is nobody's business is left out", () => {
    const events = [
      event(1, { kind: 'created', state: 'pending' }),
      event(2, { kind: 'progress' }),
      event(3),
      event(4, { state: 'terminated' }),
    ];
    const plan = planTellings(events, session, T0);
    expect(plan.map(({ event: { id }, words, last }) => [id, words, last])).toEqual([
      ['1-1', ['enqueued'], false],
      ['1-3', ['started'], false],
      ['1-4', ['terminated'], true],
    ]);
    expect(plan.every(({ dropped }) => dropped === undefined)).toBe(true);
  });
  test('is dropped when it has waited for more than a day, with the reason', () => {
    const [old, young] = planTellings([event(1), event(2, { at: later(1) })], session, later(DAY + 1));
    expect(old?.dropped).toContain('more than a day');
    expect(young?.dropped).toBeUndefined();
  });
  test('is dropped, oldest first, when too much is waiting', () => {
    const plan = planTellings(
      Array.from({ length: MOST_WAITING + 3 }, (_, n) => event(n)),
      session,
      T0,
    );
    expect(plan.map(({ dropped }) => dropped !== undefined)).toEqual([
      true,
      true,
      true,
      ...Array.from({ length: MOST_WAITING }, () => false),
    ]);
    expect(plan[0]?.dropped).toContain('later ones were waiting');
  });
});
