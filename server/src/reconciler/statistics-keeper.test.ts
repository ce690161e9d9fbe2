import { expect, test } from 'vitest';
import { exampleSession } from '../domain/sessions/example-session.ts';
import type { Counted } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';
import { totalOf, withUsage, type KeptStatistics, type KeptUsage, type Usage } from '../domain/sessions/statistics.ts';
import { RuntimeError } from '../runtimes/runtime.ts';
import { StatisticsKeeper } from './statistics-keeper.ts';

const STARTED = new Date('2026-01-01T00:00:00Z');
const used = (cpuMs: number): Usage => ({
  cpuMs,
  memoryBytes: 1,
  memoryMaxBytes: null,
  networkReceivedBytes: 0,
  networkSentBytes: 0,
  blockReadBytes: null,
  blockWrittenBytes: null,
});
const running = (changes: Partial<Session> = {}): Session =>
  exampleSession({ state: 'running', generation: 1, startedAt: STARTED, processStartedAt: STARTED, ...changes });

/** A table, an engine and a clock in a hand. */
class Ground {
  rows: readonly Counted[] = [];
  written: ReadonlyMap<string, KeptStatistics>[] = [];
  now = STARTED.getTime();
  readonly warnings: string[] = [];
  answer: () => Promise<Usage | undefined> = async () => used(100);
  readonly keeper = new StatisticsKeeper({
    store: {
      counted: async () => this.rows,
      keepStatistics: async (kept) => void this.written.push(kept),
    },
    runtime: { statistics: () => this.answer() },
    now: () => new Date(this.now),
    log: { warn: (_, message) => void this.warnings.push(message), debug: () => undefined },
  });

  cpuMs(id: string): number | null | undefined {
    const main: KeptUsage | undefined = this.written.at(-1)?.get(id)?.['main1'];
    return main === undefined ? undefined : totalOf(main).cpuMs;
  }
}

test('what runs is counted soon, and written down when the server stops', async () => {
  const ground = new Ground();
  const session = running();
  ground.rows = [session];
  let asked = 0;
  ground.answer = async () => used((asked += 1));
  ground.keeper.start();
  await expect.poll(() => asked).toBe(1);
  expect(ground.written).toEqual([]);
  await ground.keeper.stop();
  expect(ground.cpuMs(session.id)).toBe(1);
});

test('what is counted before the end is kept with the end, once', async () => {
  const ground = new Ground();
  const session = running();
  await ground.keeper.countLast(session);
  await ground.keeper.keep(session);
  await ground.keeper.keep(session);
  expect(ground.written).toHaveLength(1);
  expect(ground.cpuMs(session.id)).toBe(100);
});

test('goes on from what another server wrote down', async () => {
  const ground = new Ground();
  const main1 = withUsage(undefined, used(500), { life: 'another life', at: new Date(STARTED.getTime() - 1) });
  const session = running({ statistics: { main1 } });
  await ground.keeper.countLast(session);
  await ground.keeper.keep(session);
  expect(ground.cpuMs(session.id)).toBe(600);
});

test('who asks often is answered the same for a moment, but never of another process', async () => {
  const ground = new Ground();
  let asked = 0;
  ground.answer = async () => used(100 * (asked += 1));
  const session = running();
  const cpuMs = async (of: Session): Promise<number | null | undefined> => (await ground.keeper.live(of))?.['main1']?.now.cpuMs;
  expect([await cpuMs(session), await cpuMs(session)]).toEqual([100, 100]);
  expect(await cpuMs({ ...session, processStartedAt: new Date(STARTED.getTime() + 1) })).toBe(200);
  ground.now += 60_000;
  expect(await cpuMs(session)).toBe(300);
});

test('only what runs, or is frozen, is counted live', async () => {
  const ground = new Ground();
  for (const state of ['pending', 'preparing', 'restarting', 'paused', 'terminating', 'terminated'] as const)
    expect(await ground.keeper.live(running({ state }))).toBeUndefined();
  expect(await ground.keeper.live(running({ state: 'paused', frozen: true }))).toBeDefined();
});

test('neither silence nor a mistake of the engine holds up or fails anything', async () => {
  const ground = new Ground();
  ground.answer = () => new Promise(() => undefined);
  await ground.keeper.countLast(running());
  expect(await ground.keeper.live(running())).toBeUndefined();
  ground.answer = () =>
    Promise.reject(new RuntimeError('unreachable', { code: 'engine-unavailable', message: 'it does not run', remedy: 'Start it.' }));
  expect(await ground.keeper.live(running())).toBeUndefined();
  expect(ground.warnings).toEqual([]);
  ground.answer = () => Promise.reject(new TypeError('a mistake'));
  expect(await ground.keeper.live(running())).toBeUndefined();
  expect(ground.warnings).toHaveLength(1);
  await ground.keeper.keep(running());
  expect(ground.written).toEqual([]);
});

test('what could not be written down is written later', async () => {
  const ground = new Ground();
  const session = running();
  const failing = new StatisticsKeeper({
    store: {
      counted: async () => [],
      keepStatistics: async (kept) => {
        if (ground.written.push(kept) === 1) throw new Error('the database is away');
      },
    },
    runtime: { statistics: async () => used(100) },
    now: () => STARTED,
    log: { warn: (_, message) => void ground.warnings.push(message), debug: () => undefined },
  });
  await failing.countLast(session);
  await failing.stop();
  expect(ground.warnings).toHaveLength(1);
  await failing.stop();
  expect(ground.written).toHaveLength(2);
});
