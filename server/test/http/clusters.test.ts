import type { CreateSessionInput, Session } from '@berth/contract';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FakeEngine } from '../../src/runtimes/fake-engine.ts';
import { FakeRuntime, type Faults } from '../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../support/fake-reconciler.ts';
import { endAll, hasEnded, until } from '../support/until.ts';
import { ApiServer } from './api-server.ts';

let server: ApiServer;
let engine: FakeEngine;
const faults: Faults = {};
let reconciler: FakeReconciler;
beforeAll(async () => {
  engine = new FakeEngine();
  server = await ApiServer.start();
  reconciler = await FakeReconciler.start(server.storage, {}, new FakeRuntime({ engine, faults }));
});
afterEach(async () => {
  delete faults.failing;
  await endAll(client());
});
afterAll(async () => {
  await reconciler.stop();
  await server.dispose();
});

const client = () => server.people.alice.client;
const create = (more: CreateSessionInput = {}): Promise<Session> =>
  client().createSession({ body: { clusterSize: 3, command: ['sleep'], ...more } });
const show = (id: string): Promise<Session> => client().getSession({ params: { session: id } });
const running = (id: string): Promise<Session> => until(client(), id, 'running', ({ state }) => state === 'running');
const runningOne = async (more: CreateSessionInput = {}): Promise<Session> => running((await create(more)).id);
const ended = (id: string): Promise<Session> => until(client(), id, 'ended', hasEnded);
const refOf = ({ id, generation }: Session, container: string) => ({ sessionId: id, generation, container });
const boxesOf = (id: string) => [...engine.containers.values()].filter(({ spec }) => spec.ref.sessionId === id);
const phasesOf = (id: string): Record<string, string> =>
  Object.fromEntries(boxesOf(id).map(({ spec, observed }) => [spec.ref.container, observed.phase]));
const statesOf = ({ containers }: Session): Record<string, string> =>
  Object.fromEntries(containers.map(({ name, state }) => [name, state]));
const fake = (): FakeRuntime => reconciler.runtime;
const messagesOf = async (id: string): Promise<string[]> =>
  (await server.storage.sessions.events({ ownerId: null, sessionId: id, after: null, limit: 100 })).map(({ message }) => message);

const ALL_RUN = { main1: 'running', sub1: 'running', sub2: 'running' };

describe('a session of three containers', () => {
  test('runs when all run, each called as the others look it up, and tells of each', async () => {
    const session = await runningOne({ name: 'cluster-1', env: { MINE: 'yes', BACKENDAI_X: 'kept' } });
    expect(phasesOf(session.id)).toEqual(ALL_RUN);
    expect(session).toMatchObject({ clusterSize: 3, clusterMode: 'single-node', degraded: false, node: 'fake' });
    expect(session.containers.map(({ name, role, node, state }) => `${name} ${role} ${node} ${state}`)).toEqual([
      'main1 main fake running',
      'sub1 sub fake running',
      'sub2 sub fake running',
    ]);
    const sub2 = boxesOf(session.id).find(({ spec }) => spec.ref.container === 'sub2')?.spec;
    expect(sub2).toMatchObject({ hostname: 'sub2', peers: ['main1', 'sub1'], command: [], tty: true });
    expect(sub2?.env).toMatchObject({
      MINE: 'yes',
      BACKENDAI_X: 'kept',
      BERTH_CLUSTER_HOSTS: 'main1,sub1,sub2',
      BERTH_CLUSTER_HOST: 'sub2',
    });
  });

  test('has what is reserved as often as it has containers', async () => {
    const { id } = await runningOne({ resources: { cpu: 1 } });
    const { items } = await client().listSessions({ query: {} });
    expect(items.find((item) => item.id === id)?.resources.cpu).toBe(1);
    const waiting = await create({ resources: { cpu: 1 }, clusterSize: 2 });
    const reason = 'needs 2 CPUs, 1 free of 4 (in use by your session';
    const held = await until(client(), waiting.id, 'waiting', ({ waiting: why }) => (why?.reasons.length ?? 0) > 0);
    expect(held.reason).toContain(reason);
  });

  test('one that does not start fails it, is named, and the others are removed', async () => {
    faults.failing = 'sub2';
    const { id } = await create();
    const session = await ended(id);
    expect(session).toMatchObject({
      state: 'error',
      cause: { code: 'start-failed', message: expect.stringContaining('sub2: ') as string },
    });
    expect(boxesOf(id)).toEqual([]);
    expect(session.containers.find(({ name }) => name === 'sub2')).toMatchObject({ state: 'ended', exitCode: 3 });
  });

  test('one that dies later leaves it degraded, with its reason and an event, and a restart heals it', async () => {
    const session = await runningOne();
    fake().exit(refOf(session, 'sub1'), 137);
    const degraded = await until(client(), session.id, 'degraded', (seen) => seen.degraded);
    expect(degraded).toMatchObject({ state: 'running', reason: 'running, degraded: sub1 ended, exit 137' });
    expect(statesOf(degraded)).toEqual({ main1: 'running', sub1: 'ended', sub2: 'running' });
    expect(degraded.containers[1]).toMatchObject({ exitCode: 137, reason: 'ended, exit 137' });
    expect(await messagesOf(session.id)).toContain('running, degraded: sub1 ended, exit 137');
    await client().restartSession({ params: { session: session.id }, body: {} });
    const healed = await until(client(), session.id, 'healed', ({ restarts, state }) => restarts === 1 && state === 'running');
    expect(healed).toMatchObject({ degraded: false, reason: 'running' });
    expect(phasesOf(session.id)).toEqual(ALL_RUN);
  });

  test('one that somebody removed is missing, and made again by a restart', async () => {
    const session = await runningOne();
    fake().lose(refOf(session, 'sub2'));
    await until(client(), session.id, 'degraded', ({ degraded, reason }) => degraded && reason.includes('sub2 is gone'));
    await client().restartSession({ params: { session: session.id }, body: {} });
    await until(client(), session.id, 'healed', ({ restarts, state, degraded }) => restarts === 1 && state === 'running' && !degraded);
    expect(phasesOf(session.id)).toEqual(ALL_RUN);
  });

  test('ends with main1, whose exit code is its own, and leaves none of them', async () => {
    const session = await runningOne();
    fake().exit(refOf(session, 'main1'), 7);
    expect(await ended(session.id)).toMatchObject({ state: 'terminated', exitCode: 7 });
    expect(boxesOf(session.id)).toEqual([]);
  });

  test('keeps a log of each', async () => {
    const { id } = await create({ type: 'batch', command: ['echo', 'main speaks'], clusterSize: 2 });
    expect(await ended(id)).toMatchObject({ result: 'success', lastLog: ['main speaks'] });
    const logOf = (container: string): Promise<string> =>
      server.fetch(`/api/sessions/${id}/logs?container=${container}`, { as: server.people.alice }).then((answer) => answer.text());
    expect(await logOf('main1')).toBe('main speaks\n');
    expect(await logOf('sub1')).toBe('');
    expect(await server.storage.sessions.logs({ sessionId: id, container: 'sub1' })).toHaveLength(1);
  });

  test('has the result of main1, though the others run until then', async () => {
    const { id } = await create({ type: 'batch', command: ['sh', '-c', 'exit 5'] });
    expect(await ended(id)).toMatchObject({ result: 'failure', exitCode: 5 });
    expect(boxesOf(id)).toEqual([]);
  });

  test('is paused, resumed and stopped as one', async () => {
    const { id } = await runningOne();
    const params = { session: id };
    await client().pauseSession({ params, body: {} });
    const paused = await until(client(), id, 'paused', ({ state }) => state === 'paused');
    expect(phasesOf(id)).toEqual({ main1: 'frozen', sub1: 'frozen', sub2: 'frozen' });
    expect(statesOf(paused)).toEqual({ main1: 'frozen', sub1: 'frozen', sub2: 'frozen' });
    await client().resumeSession({ params, body: {} });
    await running(id);
    expect(phasesOf(id)).toEqual(ALL_RUN);
    await client().terminateSession({ params, body: {} });
    await ended(id);
    expect(boxesOf(id)).toEqual([]);
  });

  test('is started again whole when its engine was restarted', async () => {
    const { id } = await runningOne();
    fake().restartEngine();
    await until(client(), id, 'restarted', ({ restarts, state }) => restarts === 1 && state === 'running');
    expect(phasesOf(id)).toEqual(ALL_RUN);
  });
});

test('a container that there is not is named, with those that there are', async () => {
  const { id } = await runningOne({ name: 'cluster-2', clusterSize: 2 });
  const answer = await server.fetch(`/api/sessions/${id}/logs?container=sub9`, { as: server.people.alice });
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ detail: '"cluster-2" has no container "sub9": it has main1, sub1' });
});

test.each([{ clusterSize: 0 }, { clusterSize: 65 }, { clusterSize: 1.5 }])('%j is no size of a cluster', async (body) => {
  await expect(create(body)).rejects.toMatchObject({ code: 'invalid-field', field: 'clusterSize' });
});

test('two servers never make two containers of one name', async () => {
  const other = await FakeReconciler.start(server.storage, {}, new FakeRuntime({ engine, faults }));
  const sessions = await Promise.all(Array.from({ length: 8 }, () => runningOne({ clusterSize: 4 })));
  const made = [...engine.created].filter(([key]) => sessions.some(({ id }) => key.startsWith(id)));
  expect(made).toHaveLength(32);
  expect(made.filter(([, times]) => times > 1)).toEqual([]);
  expect(await Promise.all(sessions.map(async ({ id }) => (await show(id)).degraded))).toEqual(sessions.map(() => false));
  await other.stop();
});
