import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newCommit } from '../../src/domain/sessions/commit.ts';
import { withUsage, type KeptStatistics } from '../../src/domain/sessions/statistics.ts';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { after, GRANT, makeOwner, makeSession, newId, type Owner } from './make.ts';

let storage: TestStorage;
let owner: Owner;
beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());
beforeEach(async () => void (owner = await makeOwner(storage)));

const counted = (second: number, cpuMs: number): KeptStatistics => ({
  main1: withUsage(
    undefined,
    {
      cpuMs,
      memoryBytes: 1,
      memoryMaxBytes: null,
      networkReceivedBytes: 0,
      networkSentBytes: 0,
      blockReadBytes: null,
      blockWrittenBytes: null,
    },
    { life: '1 a', at: new Date(Date.UTC(2026, 0, 1, 0, 0, second)) },
  ),
});
const keep = (id: string, kept: KeptStatistics): Promise<void> => storage.sessions.keepStatistics(new Map([[id, kept]]));
const kept = async (id: string) => (await storage.sessions.get(id))?.statistics;

test('what was counted last is kept, whoever writes it when', async () => {
  const { id } = await makeSession(storage, owner);
  expect(await kept(id)).toBeNull();
  await keep(id, counted(30, 200));
  await keep(id, counted(0, 100));
  expect(await kept(id)).toEqual(counted(30, 200));
  await keep(id, counted(60, 300));
  expect(await kept(id)).toEqual(counted(60, 300));
});

test("figures of many are written at once; those of nobody are nobody's", async () => {
  const [one, two] = [await makeSession(storage, owner), await makeSession(storage, owner)];
  const many: [string, KeptStatistics][] = [
    [one.id, counted(1, 1)],
    [two.id, counted(2, 2)],
    [newId(), counted(3, 3)],
    ['no id', counted(4, 4)],
  ];
  await storage.sessions.keepStatistics(new Map(many));
  expect([await kept(one.id), await kept(two.id)]).toEqual([counted(1, 1), counted(2, 2)]);
});

test('a step of the reconciler neither writes figures nor is held up by them', async () => {
  const session = await makeSession(storage, owner);
  await keep(session.id, counted(1, 1));
  expect(await storage.sessions.save(after(session, { state: 'running', grant: GRANT, generation: 1 }), null, null)).toBe(true);
  expect(await kept(session.id)).toEqual(counted(1, 1));
});

test('only what runs is to be counted, with the figures so far', async () => {
  const session = await makeSession(storage, owner);
  const startedAt = new Date('2026-01-01T00:00:00Z');
  expect(await storage.sessions.counted()).not.toContainEqual(expect.objectContaining({ id: session.id }));
  await storage.sessions.save(after(session, { state: 'running', grant: GRANT, generation: 1, processStartedAt: startedAt }), null, null);
  await keep(session.id, counted(1, 1));
  expect(await storage.sessions.counted()).toContainEqual({
    id: session.id,
    generation: 1,
    processStartedAt: startedAt,
    statistics: counted(1, 1),
  });
});

test('the image that is made of a session is written with it', async () => {
  const session = await makeSession(storage, owner);
  const commit = newCommit(newId(), 'localhost/berth/ada/tool:1', new Date('2026-01-01T00:00:00Z'));
  await storage.sessions.request(session.id, (one) => ({ ...one, commit }), 'asked for');
  expect((await storage.sessions.get(session.id))?.commit).toEqual(commit);
});

test('the history of a session tells each state once, in the order in which it came to them last', async () => {
  const session = await makeSession(storage, owner);
  let latest = session;
  for (const state of ['running', 'pausing', 'paused', 'pending', 'running'] as const) {
    latest = after(latest, { state, grant: GRANT, generation: 1 });
    await storage.sessions.save(latest, { kind: 'state', message: state }, null);
  }
  await storage.sessions.save(after(latest, {}), { kind: 'notice', message: 'nothing new' }, null);
  // A quick engine takes several steps within a millisecond.
  await sql`update session_events set at = ${new Date()} where session_id = ${session.id}`.execute(storage.db);
  const states = await storage.sessions.history(session.id);
  expect(states.map(({ state }) => state)).toEqual(['pausing', 'paused', 'pending', 'running']);
  expect(states.every(({ at }) => at instanceof Date)).toBe(true);
  expect(await storage.sessions.history(newId())).toEqual([]);
  expect(await storage.sessions.history('nobody')).toEqual([]);
});

test('what a session follows, directly or not, is found once, oldest first', async () => {
  const batch = { type: 'batch' } as const;
  const first = await makeSession(storage, owner, batch);
  const second = await makeSession(storage, owner, { ...batch, dependencies: [first.id] });
  const third = await makeSession(storage, owner, { ...batch, dependencies: [first.id] });
  const last = await makeSession(storage, owner, { ...batch, dependencies: [second.id, third.id] });
  await makeSession(storage, owner, { ...batch, dependencies: [last.id] });
  const ids = async (limit: number): Promise<string[]> => (await storage.sessions.ancestors(last.id, limit)).map(({ id }) => id);
  expect(await ids(10)).toEqual([first.id, second.id, third.id]);
  expect(await ids(2)).toEqual([first.id, second.id]);
  expect(await storage.sessions.ancestors(first.id, 10)).toEqual([]);
});
