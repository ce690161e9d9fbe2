import { describe, expect, test } from 'vitest';
import { exampleSession, T0 } from '../sessions/example-session.ts';
import type { StoredEvent } from '../sessions/session-store.ts';
import type { Ending, Session, SessionState } from '../sessions/session.ts';
import { callbackBody, callbackWords, deliveryId } from './callback-payload.ts';

const ended = (state: Ending['state'], changes: Partial<Session> = {}, exitCode: number | null = 0): Session =>
  exampleSession({
    state,
    startedAt: T0,
    endedAt: T0,
    ending: { state, reason: 'finished', exitCode, cause: null, finished: true },
    ...changes,
  });
const event = (kind: StoredEvent['kind'], state: SessionState): StoredEvent => ({
  id: '7-1',
  sessionId: 's1',
  ownerId: 'u1',
  at: T0,
  kind,
  state,
  message: 'ready',
});

describe('what an event is told as', () => {
  test.each<[string, readonly [StoredEvent['kind'], SessionState], Session, readonly string[]]>([
    ['it was asked for', ['created', 'pending'], exampleSession(), ['enqueued']],
    ['it has a place', ['state', 'scheduled'], exampleSession(), ['scheduled']],
    ['its image is pulled', ['state', 'pulling'], exampleSession(), []],
    ['it is prepared', ['state', 'preparing'], exampleSession(), ['preparing']],
    ['it runs', ['state', 'running'], exampleSession(), ['started']],
    ['it is paused', ['state', 'paused'], exampleSession(), []],
    ['it is being ended', ['state', 'terminating'], exampleSession(), []],
    ['it has ended', ['state', 'terminated'], ended('terminated'), ['terminated']],
    ['it has failed', ['state', 'error'], ended('error'), ['terminated']],
    ['it was cancelled', ['state', 'cancelled'], ended('cancelled', { startedAt: null }), ['cancelled']],
    ['it failed before it ran', ['state', 'error'], exampleSession({ state: 'error', endedAt: T0 }), ['cancelled']],
    ['its command succeeded', ['state', 'terminated'], ended('terminated', { type: 'batch' }), ['success', 'terminated']],
    ['its command failed', ['state', 'terminated'], ended('terminated', { type: 'batch' }, 3), ['failure', 'terminated']],
    ['something is requested', ['requested', 'running'], exampleSession(), []],
    ['a pull goes on', ['progress', 'pulling'], exampleSession(), []],
    ['it waits', ['waiting', 'pending'], exampleSession(), []],
    ['something is noted', ['notice', 'terminated'], ended('terminated'), []],
  ])('%s', (_, [kind, state], session, words) => expect(callbackWords({ kind, state }, session)).toEqual(words));
});

test('what is sent has the names that programs know, and some of ours', () => {
  const session = ended('terminated', { id: 's1', name: 'train' }, 3);
  expect(JSON.parse(callbackBody('terminated', event('state', 'terminated'), session))).toEqual({
    type: 'session_lifecycle',
    event: 'terminated',
    session_id: 's1',
    when: T0.toISOString(),
    session_name: 'train',
    state: 'terminated',
    reason: 'ready',
    exit_code: 3,
  });
  expect(JSON.parse(callbackBody('started', event('state', 'running'), session))).toMatchObject({ exit_code: null });
});

test('two tellings of one event are two deliveries, the same one repeated is one', () => {
  const ids = (['success', 'terminated', 'success'] as const).map((word) => deliveryId(word, event('state', 'terminated')));
  expect(ids).toEqual(['s1/7-1/success', 's1/7-1/terminated', 's1/7-1/success']);
});
