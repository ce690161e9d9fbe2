import { randomUUID } from 'node:crypto';
import type { CreateSessionInput, Session } from '@berth/contract';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Usage } from '../../src/domain/sessions/statistics.ts';
import { FakeEngine } from '../../src/runtimes/fake-engine.ts';
import { FakeRuntime, type Faults } from '../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../support/fake-reconciler.ts';
import { hasEnded, until } from '../support/until.ts';
import { ApiServer } from './api-server.ts';

const engine = new FakeEngine();
const faults: Faults = {};
const fake = (): FakeRuntime => new FakeRuntime({ engine, faults });
let server: ApiServer;
let reconciler: FakeReconciler;
beforeAll(async () => {
  server = await ApiServer.start({}, { runtime: fake(), statistics: { live: (session) => reconciler.statistics.live(session) } });
  reconciler = await FakeReconciler.start(server.storage, {}, fake());
});
afterEach(() => {
  delete faults.commitSteps;
  delete faults.uncommittable;
});
afterAll(async () => {
  await reconciler.stop();
  await server.dispose();
});

const PATIENCE = { timeout: 20_000 };
const USED: Usage = {
  cpuMs: 100,
  memoryBytes: 50,
  memoryMaxBytes: null,
  networkReceivedBytes: 1,
  networkSentBytes: 2,
  blockReadBytes: null,
  blockWrittenBytes: 3,
};
const alice = () => server.people.alice.client;
const create = (body: CreateSessionInput = {}): Promise<Session> => alice().createSession({ body: { command: ['sleep'], ...body } });
const isRunning = ({ state }: Session): boolean => state === 'running';
const running = async (usage: Usage = USED): Promise<Session> => {
  const name = `session-${randomUUID().slice(0, 8)}`;
  engine.usage.set(name, usage);
  const { id } = await create({ name });
  return until(alice(), id, 'running', isRunning);
};
const counted = (session: string, client = alice()) => client.getSessionStatistics({ params: { session } });
const cpuMs = async (session: string) => (await counted(session)).statistics?.cpuMs;
const end = async (id: string): Promise<Session> => {
  await alice().terminateSession({ params: { session: id }, body: {} });
  return until(alice(), id, 'ended', hasEnded);
};

describe('what a session uses', () => {
  test('is counted when it is asked for, and kept in the session when it ends', async () => {
    const { id, name } = await running();
    expect(await counted(name)).toMatchObject({ id, name, live: true, statistics: { ...USED, memoryMaxBytes: 50 } });
    engine.usage.set(name, { ...USED, cpuMs: 900, memoryBytes: 20 });
    await expect.poll(() => cpuMs(id), PATIENCE).toBe(900);
    engine.usage.set(name, { ...USED, cpuMs: 1000, memoryBytes: 30 });
    const { statistics } = await end(id);
    expect(statistics).toMatchObject({ cpuMs: 1000, memoryBytes: 30, memoryMaxBytes: 50, blockReadBytes: null, blockWrittenBytes: 3 });
    expect(await counted(id)).toEqual({ id, name, live: false, statistics });
  });

  test('is the sum over restarts', async () => {
    const { id } = await running();
    await alice().restartSession({ params: { session: id }, body: {} });
    await until(alice(), id, 'restarted', (session) => isRunning(session) && session.restarts === 1);
    await expect.poll(() => cpuMs(id), PATIENCE).toBe(200);
    expect((await counted(id)).statistics).toMatchObject({ memoryBytes: 50, networkSentBytes: 4, blockReadBytes: null });
    await end(id);
  });

  test('of one that ended by itself is what was counted before', async () => {
    const { id } = await running();
    expect((await counted(id)).live).toBe(true);
    reconciler.runtime.exit({ sessionId: id, generation: 1, container: 'main1' }, 0);
    expect((await until(alice(), id, 'ended', hasEnded)).statistics).toMatchObject({ cpuMs: 100 });
  });

  test('is nothing before it has started', async () => {
    const { id, name } = await create({ node: 'fake', type: 'batch', startsAt: '1h' });
    expect(await counted(id)).toEqual({ id, name, live: false, statistics: null });
    expect((await end(id)).statistics).toBeNull();
  });

  test('is told to its owner and to administrators, which is noted', async () => {
    const { id } = await running();
    await expect(counted(id, server.people.bob.client)).rejects.toMatchObject({ code: 'not-found' });
    expect((await counted(id, server.people.root.client)).statistics).toMatchObject({ cpuMs: 100 });
    expect(server.logged()).toMatch(/"audit":"session.look","actor":"root"/);
    await end(id);
  });

  test('is not known for a moment when the engine is silent; nothing fails by that', async () => {
    const { id } = await running();
    await expect.poll(() => cpuMs(id), PATIENCE).toBe(100);
    faults.unreachable = true;
    await expect.poll(async () => (await counted(id)).live, PATIENCE).toBe(false);
    delete faults.unreachable;
    await expect.poll(async () => (await counted(id)).live, PATIENCE).toBe(true);
    await end(id);
  });
});

describe('an image of a session', () => {
  const commit = (session: string, image = 'tool', client = alice()) => client.commitSession({ params: { session }, body: { image } });
  const settled = (id: string) =>
    until(alice(), id, 'an image', (session) => session.commit !== null && session.commit.state !== 'working');

  test('is made in the background, told as it goes, and can be started from', async () => {
    faults.commitSteps = 3;
    const { id } = await running();
    expect((await commit(id, 'tool:1')).commit).toMatchObject({ state: 'working', image: 'docker://localhost/berth/alice/tool:1' });
    expect((await settled(id)).commit).toMatchObject({
      state: 'done',
      digest: expect.stringMatching(/^sha256:/),
      endedAt: expect.any(String),
    });
    const messages = (await server.storage.sessions.events({ ownerId: null, sessionId: id, after: null, limit: 100 })).map(
      (event) => event.message,
    );
    expect(messages).toEqual(expect.arrayContaining([expect.stringContaining('layer 2 of 3'), expect.stringContaining('was made of it')]));
    const next = await create({ image: 'docker://localhost/berth/alice/tool:1', pull: 'never' });
    await until(alice(), next.id, 'running', isRunning);
    await Promise.all([end(id), end(next.id)]);
  });

  test('is answered with 202', async () => {
    const { id } = await running();
    const { status } = await server.send('POST', `/api/sessions/${id}/commit`, { as: server.people.alice, body: { image: 'tool' } });
    expect(status).toBe(202);
    await settled(id);
    await end(id);
  });

  test('can be made of one that is paused', async () => {
    const { id } = await running();
    await alice().pauseSession({ params: { session: id }, body: {} });
    await until(alice(), id, 'paused', ({ state }) => state === 'paused');
    await commit(id);
    expect(await settled(id)).toMatchObject({ state: 'paused', commit: { state: 'done' } });
    await end(id);
  });

  test('is finished before a session that is stopped meanwhile goes', async () => {
    faults.commitSteps = 3;
    const { id } = await running();
    await commit(id);
    expect(await end(id)).toMatchObject({ state: 'terminated', commit: { state: 'done' } });
  });

  test('that fails says why; the session goes on', async () => {
    faults.uncommittable = true;
    const { id } = await running();
    await commit(id);
    expect(await settled(id)).toMatchObject({
      state: 'running',
      commit: { state: 'failed', message: 'the fake engine makes no image of this: Try again.' },
    });
    await end(id);
  });

  test('is gone on with by the next server when this one ends', async () => {
    faults.commitSteps = 1_000_000;
    const { id } = await running();
    await commit(id);
    await reconciler.stop();
    delete faults.commitSteps;
    reconciler = await FakeReconciler.start(server.storage, {}, fake());
    expect((await settled(id)).commit).toMatchObject({ state: 'done' });
    await end(id);
  });

  test("is refused in words: a second one at a time, a name that is none, one that does not run, somebody else's", async () => {
    faults.commitSteps = 1_000_000;
    const { id } = await running();
    await commit(id);
    await expect(commit(id, 'other')).rejects.toMatchObject({ code: 'wrong-state', message: expect.stringContaining('already') });
    for (const image of ['berth/base', 'Tool', 'registry.example/tool', ''])
      await expect(commit(id, image)).rejects.toMatchObject({ code: 'invalid-field', field: 'image' });
    await expect(commit(id, 'tool', server.people.bob.client)).rejects.toMatchObject({ code: 'not-found' });
    await expect(commit(id, 'tool', server.people.root.client)).rejects.toMatchObject({ code: 'forbidden' });
    delete faults.commitSteps;
    await settled(id);
    await end(id);
    await expect(commit(id)).rejects.toMatchObject({ code: 'wrong-state' });
  });
});

test('where no images can be made of sessions, that is said', async () => {
  const elsewhere = await ApiServer.start();
  const { alice: person } = elsewhere.people;
  const { id } = await person.client.createSession({ body: {} });
  const asked = person.client.commitSession({ params: { session: id }, body: { image: 'tool' } });
  await expect(asked).rejects.toMatchObject({ code: 'not-supported', status: 501 });
  expect(elsewhere.logged()).not.toContain('a request failed');
  await elsewhere.dispose();
});
