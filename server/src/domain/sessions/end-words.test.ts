import { expect, test } from 'vitest';
import { endWords } from './end-words.ts';
import { exampleSession, T0 } from './example-session.ts';
import type { Ending, Session } from './session.ts';

const ended = (state: Ending['state'], ending: Partial<Ending> = {}, changes: Partial<Session> = {}): Session =>
  exampleSession({ state, endedAt: T0, ending: { state, reason: '', exitCode: null, cause: null, ...ending }, ...changes });
const CAUSE = { code: 'out-of-memory', message: '', remedy: '' } as const;
const BATCH = { type: 'batch' } as const;
const RAN = { startedAt: T0 };

test.each<[string, Session, readonly string[]]>([
  ['it ended', ended('terminated', { exitCode: 0, finished: true }, RAN), ['terminated']],
  ['it failed', ended('error', { cause: CAUSE }, RAN), ['terminated']],
  ['it got no place', ended('cancelled'), ['cancelled']],
  ['it was stopped before it ran', ended('terminated'), ['cancelled']],
  ['it could not be started', ended('error', { cause: CAUSE }), ['cancelled']],
  ['its command succeeded', ended('terminated', { exitCode: 0, finished: true }, { ...BATCH, ...RAN }), ['success', 'terminated']],
  ['its command failed', ended('terminated', { exitCode: 3, finished: true }, { ...BATCH, ...RAN }), ['failure', 'terminated']],
  ['it was stopped', ended('terminated', { exitCode: 143 }, { ...BATCH, ...RAN }), ['failure', 'terminated']],
  ['it succeeded before anybody saw it run', ended('terminated', { exitCode: 0, finished: true }, BATCH), ['success', 'terminated']],
  ['it was killed before anybody saw it run', ended('error', { exitCode: 137, cause: CAUSE }, BATCH), ['failure', 'terminated']],
])('%s', (_, session, words) => expect(endWords(session)).toEqual(words));
