import { describe, expect, test } from 'vitest';
import { exampleSession } from '../../domain/sessions/example-session.ts';
import type { SessionState } from '../../domain/sessions/session.ts';
import { eventNames } from './event-names.ts';
import { destroy, restart } from './session-requests.ts';
import { statusOf } from './session-status.ts';

const outcome = (change: () => { wanted: string }): string => {
  try {
    return change().wanted;
  } catch (error) {
    return String((error as { status?: number }).status);
  }
};

describe('destroying', () => {
  test.each<[SessionState, plain: string, forced: string]>([
    ['pending', 'terminated', 'terminated'],
    ['scheduled', '403', 'terminated'],
    ['pulling', 'terminated', 'terminated'],
    ['preparing', '403', 'terminated'],
    ['running', 'terminated', 'terminated'],
    ['paused', 'terminated', 'terminated'],
    ['restarting', 'terminated', 'terminated'],
    ['terminating', 'terminated', 'terminated'],
    ['terminated', '404', '404'],
    ['cancelled', '404', '404'],
    ['error', '403', 'running'],
  ])('a %s session: %s, forced: %s', (state, plain, forced) => {
    const session = exampleSession({ state });
    expect([outcome(() => destroy(session, false)), outcome(() => destroy(session, true))]).toEqual([plain, forced]);
  });
  test('asked again, it is going away already', () => {
    const session = exampleSession({ state: 'preparing', wanted: 'terminated' });
    expect([statusOf(session), destroy(session, false)]).toEqual(['TERMINATING', session]);
  });
});

describe('restarting', () => {
  test.each<[SessionState, string]>([
    ['running', 'running'],
    ['pending', '400'],
    ['paused', '400'],
    ['restarting', '400'],
    ['terminating', '403'],
    ['error', '400'],
    ['terminated', '404'],
  ])('a %s session: %s', (state, expected) =>
    expect(outcome(() => restart(exampleSession({ state, wanted: state === 'terminating' ? 'terminated' : 'running' })))).toBe(expected),
  );
  test('is shown from the request on', () => expect(statusOf(restart(exampleSession({ state: 'running' })))).toBe('RESTARTING'));
});

describe('events', () => {
  const ended = (changes: Parameters<typeof exampleSession>[0]) =>
    eventNames({ kind: 'state', state: changes?.state ?? 'error' }, exampleSession({ startedAt: new Date(0), ...changes }));
  test('each state has its names', () => {
    expect(eventNames({ kind: 'created', state: 'pending' }, exampleSession())).toEqual(['session_enqueued']);
    expect(eventNames({ kind: 'state', state: 'running' }, exampleSession())).toEqual(['kernel_started', 'session_started']);
    expect(eventNames({ kind: 'waiting', state: 'pending' }, exampleSession())).toEqual([]);
  });
  test('what never ran was cancelled, what ran was terminated', () => {
    expect(ended({ state: 'error', startedAt: null })).toEqual(['kernel_cancelled', 'session_cancelled']);
    expect(ended({ state: 'error' })).toEqual(['kernel_terminated', 'session_terminated']);
  });
  test('the result of a batch session comes before its end', () => {
    const ending = { state: 'terminated', reason: '', exitCode: 0, cause: null, finished: true } as const;
    expect(ended({ type: 'batch', state: 'terminated', ending })).toEqual(['kernel_terminated', 'session_success', 'session_terminated']);
    expect(ended({ type: 'batch', state: 'error' })).toEqual(['kernel_terminated', 'session_failure', 'session_terminated']);
  });
});
