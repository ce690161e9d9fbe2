import { expect, test } from 'vitest';
import type { LiveSession, ReconcilerStore } from '../domain/sessions/session-store.ts';
import type { Observed, Runtime } from '../runtimes/runtime.ts';
import { sweep } from './sweep.ts';

const container = (name: string, phase: Observed['phase'] = 'running', more: Partial<Observed> = {}): Observed => ({
  ref: { sessionId: 's', generation: 1, container: name },
  phase,
  ...more,
});
const cluster = { size: 3, mode: 'single-node' } as const;
const session = (changes: Partial<LiveSession> = {}): LiveSession => ({
  id: 's',
  state: 'running',
  generation: 1,
  cluster,
  subs: [],
  ...changes,
});
const lost = { name: 'sub2', state: 'ended', startedAt: null, exitCode: 1, reason: 'ended, exit 1' } as const;

/** Whether a session is looked at when the engine has these containers. */
async function isHinted(live: LiveSession, observed: readonly Observed[], orchestrates = false): Promise<boolean> {
  const hints: string[] = [];
  const runtime: Pick<Runtime, 'traces' | 'list' | 'orchestrates'> = {
    orchestrates,
    traces: async () => [],
    list: async () => observed,
  };
  const store: Pick<ReconcilerStore, 'known' | 'live'> = {
    known: async () => new Map([['s', { state: live.state, generation: live.generation }]]),
    live: async () => [live],
  };
  const { corrected, quarantined, removed } = await sweep({
    runtime: runtime as Runtime,
    store: store as ReconcilerStore,
    quarantine: { see: async () => [], stopped: async () => undefined, count: async () => 0 },
    hint: async (id) => void hints.push(id),
    now: () => new Date(),
    policy: { stopAfterMs: 1, removeAfterMs: 1, graceSeconds: 1 },
    log: { warn: () => undefined },
  });
  expect({ quarantined, removed }).toEqual({ quarantined: 0, removed: 0 });
  expect(corrected).toBe(hints.length);
  return hints.length > 0;
}

const all = [container('main1'), container('sub1'), container('sub2')];

test.each<[string, LiveSession, readonly Observed[], boolean]>([
  ['all its containers run', session(), all, false],
  ['one of them is gone', session(), all.slice(0, 2), true],
  ['one of them has ended', session(), [...all.slice(0, 2), container('sub2', 'exited')], true],
  ['that is known', session({ subs: [lost] }), [...all.slice(0, 2), container('sub2', 'exited')], false],
  [
    'the node of one is silent',
    session(),
    [...all.slice(0, 2), container('sub2', 'running', { silent: { since: new Date(), message: '' } })],
    true,
  ],
  ['main1 is gone', session(), all.slice(1), true],
  [
    'it is paused, and one of them runs',
    session({ state: 'paused' }),
    [container('main1', 'frozen'), container('sub1'), container('sub2', 'frozen')],
    true,
  ],
  ['a single one runs', session({ cluster: null }), all.slice(0, 1), false],
])('a live session is looked at when it differs from what is there: %s', async (_, live, observed, hinted) => {
  expect(await isHinted(live, observed)).toBe(hinted);
});

test('on a cluster nothing of a paused session is there', async () => {
  expect(await isHinted(session({ state: 'paused' }), [], true)).toBe(false);
  expect(await isHinted(session({ state: 'paused' }), [container('sub1', 'exited')], true)).toBe(true);
});
