import { describe, expect, test } from 'vitest';
import { decide } from './decide.ts';
import type { Decision, LifePolicy, Seen } from './decision.ts';
import { EXAMPLE_SPEC, exampleSession, T0 } from './example-session.ts';
import type { Session } from './session.ts';

const MINUTE = 60_000;
const policy: LifePolicy = {
  pendingMs: 60 * MINUTE,
  pullMs: 60 * MINUTE,
  readyMs: 10 * MINUTE,
  pauseMs: 2 * MINUTE,
  restartMs: 5 * MINUTE,
  stopMs: 2 * MINUTE,
  freezeForMs: 30 * MINUTE,
  canFreeze: true,
  orchestrates: false,
  nodeLostMs: 5 * MINUTE,
};
const STARTED = new Date(T0.getTime() + 1_000);
const later = (ms: number): Date => new Date(T0.getTime() + ms);
const up: Seen = { phase: 'running', node: 'n1', startedAt: STARTED, ready: true };
const noPort: Seen = { ...up, ready: false };
const atScript: Seen = { ...up, bootstrapping: true, ready: false };
const step = (name: 'bootstrap' | 'ready', minute = 0) =>
  [{ step: name, startedAt: later(minute * MINUTE).toISOString(), endedAt: null, detail: null }] as const;
const preparing = (changes: Partial<Session> = {}): Session =>
  exampleSession({
    state: 'preparing',
    grant: { node: 'n1', cpus: 1, memoryBytes: 1e9, devices: [] },
    generation: 1,
    imageDigest: 'sha256:1',
    spec: { ...EXAMPLE_SPEC, port: 8888 },
    ...changes,
  });

const short = (decision: Decision): string =>
  decision.kind === 'act'
    ? `do ${decision.action}`
    : decision.kind === 'wait'
      ? `wait ${decision.inMs}`
      : `${decision.kind === 'move' ? `-> ${decision.to}` : 'note'}: ${decision.reason}`;

describe.each([
  ['an engine', policy],
  ['a cluster', { ...policy, canFreeze: false, orchestrates: true }],
])('a container that runs on %s', (_where, life) => {
  test.each<[string, Partial<Session>, Seen, string, Date?]>([
    ['is at its bootstrap script', {}, atScript, 'note: running its bootstrap script'],
    ['has been for a second', { timeline: step('bootstrap') }, atScript, 'wait 100', later(1_000)],
    ['for ten seconds', { timeline: step('bootstrap') }, atScript, 'wait 1000', later(10_000)],
    ['for minutes', { timeline: step('bootstrap') }, atScript, 'wait 2000', later(9 * MINUTE)],
    [
      'for ever',
      { timeline: step('bootstrap') },
      atScript,
      '-> terminating: its bootstrap script was not done within 10m, so its command was not run',
      later(11 * MINUTE),
    ],
    [
      'has its time, however long the launch took before that',
      { timeline: step('bootstrap', 9) },
      atScript,
      'wait 2000',
      later(18 * MINUTE),
    ],
    ['is past it', { timeline: step('bootstrap') }, up, '-> running: running'],
    ['but not ready', { timeline: step('bootstrap') }, noPort, 'note: started; waiting for port 8888 to answer'],
    ['and has its time for that, too', { timeline: step('ready', 9) }, noPort, 'wait 100', later(18 * MINUTE)],
    ['which is over', { timeline: step('ready', 9) }, noPort, '-> terminating: port 8888 did not answer within 10m', later(20 * MINUTE)],
    ['is told to stop meanwhile', { wanted: 'terminated' }, atScript, '-> terminating: stopped by request before it ran'],
    ['is a restarted one', { state: 'restarting', processStartedAt: T0, startedAt: T0 }, atScript, 'note: running its bootstrap script'],
  ])('%s', (...[, changes, seen, expected, now = T0]) => {
    expect(short(decide(preparing(changes), seen, now, life))).toBe(expected);
  });

  test('has each step of its launch in its timeline', () => {
    const decision = decide(preparing({ timeline: step('bootstrap') }), noPort, later(MINUTE), life);
    expect(decision).toMatchObject({
      changes: {
        timeline: [
          { step: 'bootstrap', endedAt: later(MINUTE).toISOString() },
          { step: 'ready', endedAt: null },
        ],
      },
    });
  });

  test('too long at its script fails for that', () => {
    const decision = decide(preparing({ timeline: step('bootstrap') }), atScript, later(11 * MINUTE), life);
    expect(decision).toMatchObject({ changes: { ending: { state: 'error', cause: { code: 'bootstrap-failed' } } } });
  });
});
