import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, CreateSessionInput, Session } from '@berth/contract';
import { FakeRuntime } from '../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../support/fake-reconciler.ts';
import { hasEnded, until } from '../support/until.ts';
import { ApiServer } from './api-server.ts';

let server: ApiServer;
let reconciler: FakeReconciler;
const runtime = new FakeRuntime();
beforeAll(async () => {
  server = await ApiServer.start({}, { removeStorages: () => reconciler.removal.nudge() });
  reconciler = await FakeReconciler.start(server.storage, {}, runtime);
});
afterAll(async () => {
  await reconciler.stop();
  await server.dispose();
});

const alice = (): Client => server.people.alice.client;
let names = 0;
const freshName = (): string => `data-${(names += 1)}`;
const make = (name = freshName(), client = alice()) => client.createStorage({ body: { name } });
const start = (more: CreateSessionInput): Promise<Session> => alice().createSession({ body: { command: ['sleep'], ...more } });
const running = async (more: CreateSessionInput): Promise<Session> =>
  until(alice(), (await start(more)).id, 'running', ({ state }) => state === 'running');
const end = async ({ id }: Session): Promise<Session> => {
  await alice().terminateSession({ params: { session: id }, body: {} });
  return until(alice(), id, 'ended', hasEnded);
};
const gone = (storage: string): Promise<boolean> =>
  alice()
    .getStorage({ params: { storage } })
    .then(
      () => false,
      (error: { code?: string }) => error.code === 'not-found',
    );
const volume = (id: string): string => `storage-${id}`;

test('one that is made is shown, listed, and made once for one token', async () => {
  const body = { name: freshName(), clientToken: 'mine' };
  const made = await alice().createStorage({ body });
  expect(made).toMatchObject({
    name: body.name,
    owner: { name: 'alice' },
    project: { name: 'alice' },
    state: 'ready',
    reason: '',
    mountedBy: [],
  });
  expect(await alice().createStorage({ body })).toEqual(made);
  expect(await alice().getStorage({ params: { storage: body.name } })).toEqual(made);
  expect((await alice().listStorages({ query: {} })).items).toContainEqual(made);
  await expect(alice().createStorage({ body: { name: body.name } })).rejects.toMatchObject({ code: 'name-taken' });
  await expect(alice().createStorage({ body: { name: 'No' } })).rejects.toMatchObject({ code: 'invalid-field', field: 'name' });
  await expect(alice().createStorage({ body: { name: freshName(), project: 'nobodys' } })).rejects.toMatchObject({ code: 'not-found' });
});

test("others hear that there is none; an administrator finds it by its id and in everybody's, which is written down", async () => {
  const { bob, root } = server.people;
  const { id, name } = await make();
  for (const storage of [id, name]) {
    await expect(bob.client.getStorage({ params: { storage } })).rejects.toMatchObject({ code: 'not-found' });
    await expect(bob.client.deleteStorage({ params: { storage } })).rejects.toMatchObject({ code: 'not-found' });
    const mounting = bob.client.createSession({ body: { mounts: [{ storage }] } });
    await expect(mounting).rejects.toMatchObject({
      code: 'not-found',
      field: 'mounts',
      message: expect.stringContaining(`no storage named "${storage}"`),
    });
  }
  await expect(bob.client.listStorages({ query: { owner: 'alice' } })).rejects.toMatchObject({ code: 'forbidden' });
  expect((await root.client.listStorages({ query: { owner: '*', limit: 200 } })).items).toContainEqual(expect.objectContaining({ id }));
  expect(await root.client.getStorage({ params: { storage: id } })).toMatchObject({ owner: { name: 'alice' } });
  expect(server.logged()).toMatch(new RegExp(`"audit":"storage.look","actor":"root".*"subject":"${id}".*"owner":"alice"`));
  await expect(root.client.createSession({ body: { mounts: [{ storage: id }] } })).rejects.toMatchObject({ code: 'not-found' });
});

describe('a session', () => {
  test('has its storages where it was told, besides its home, and shows them', async () => {
    const [data, models] = [await make(), await make()];
    const mounts = [{ storage: data.name }, { storage: models.id, target: '/opt/models', readOnly: true }];
    const session = await running({ mounts });
    expect(session.mounts).toEqual([
      { storage: { id: data.id, name: data.name }, target: `/work/${data.name}`, readOnly: false },
      { storage: { id: models.id, name: models.name }, target: '/opt/models', readOnly: true },
    ]);
    const container = [...runtime.engine.containers.values()].find(({ spec }) => spec.ref.sessionId === session.id);
    const owner = { uid: 1000, gid: 1000 };
    expect(container?.spec.mounts).toEqual([
      { storage: { name: `home-${session.owner.id}`, ...owner }, target: '/home/alice', readOnly: false },
      { storage: { name: volume(data.id), ...owner }, target: `/work/${data.name}`, readOnly: false },
      { storage: { name: volume(models.id), ...owner }, target: '/opt/models', readOnly: true },
    ]);
    expect([...runtime.engine.storages.keys()]).toEqual(expect.arrayContaining([volume(data.id), volume(models.id)]));
    expect((await alice().getStorage({ params: { storage: data.id } })).mountedBy).toEqual([{ id: session.id, name: session.name }]);
    await end(session);
    expect((await alice().getStorage({ params: { storage: data.id } })).mountedBy).toEqual([]);
  });

  test('is refused, before anything is kept, where a storage cannot go', async () => {
    const { name } = await make();
    const other = await make();
    const before = (await alice().listSessions({ query: { all: 'true', limit: 200 } })).items.length;
    for (const mounts of [
      [{ storage: name, target: '/etc' }],
      [{ storage: name, target: '/home/alice' }],
      [{ storage: name, target: 'work' }],
      [{ storage: name, target: '/work' }, { storage: other.name }],
      [
        { storage: name, target: '/x' },
        { storage: other.name, target: '/x' },
      ],
    ])
      await expect(start({ mounts })).rejects.toMatchObject({ code: 'invalid-field', field: 'mounts' });
    await expect(start({ mounts: [{ storage: 'nowhere' }] })).rejects.toMatchObject({ code: 'not-found', field: 'mounts' });
    expect((await alice().listSessions({ query: { all: 'true', limit: 200 } })).items).toHaveLength(before);
  });
});

describe('deleting', () => {
  test('is refused while a live session mounts it, paused ones included, and names it', async () => {
    const data = await make();
    const session = await running({ mounts: [{ storage: data.name }] });
    const ask = () => alice().deleteStorage({ params: { storage: data.name } });
    await expect(ask()).rejects.toMatchObject({ code: 'wrong-state', message: expect.stringContaining(`"${session.name}"`) });
    await alice().pauseSession({ params: { session: session.id }, body: {} });
    await until(alice(), session.id, 'paused', ({ state }) => state === 'paused');
    await expect(ask()).rejects.toMatchObject({ code: 'wrong-state' });
    await end(session);
    expect(await ask()).toMatchObject({ id: data.id, state: 'deleting' });
    await expect.poll(() => gone(data.id)).toBe(true);
    expect(runtime.engine.storages.has(volume(data.id))).toBe(false);
  });

  test('takes the files with it: a new one of the same name is empty', async () => {
    const name = freshName();
    const first = await make(name);
    await end(await running({ mounts: [{ storage: name }] }));
    runtime.engine.storages.get(volume(first.id))?.set('/note', 'old');
    await alice().deleteStorage({ params: { storage: name } });
    const second = await make(name);
    await end(await running({ mounts: [{ storage: name }] }));
    expect(runtime.engine.storages.get(volume(second.id))).toEqual(new Map());
    await expect.poll(() => gone(first.id)).toBe(true);
    expect(await alice().getStorage({ params: { storage: name } })).toMatchObject({ id: second.id, state: 'ready' });
  });

  test('one that no session ever mounted is gone at once', async () => {
    const { id } = await make();
    await alice().deleteStorage({ params: { storage: id } });
    await expect.poll(() => gone(id)).toBe(true);
  });

  test('is done by the next server where one was killed in the middle, and says what keeps it until then', async () => {
    const data = await make();
    await end(await running({ mounts: [{ storage: data.name }] }));
    runtime.faults.unreachable = true;
    await alice().deleteStorage({ params: { storage: data.id } });
    const look = () => alice().getStorage({ params: { storage: data.id } });
    await expect.poll(async () => (await look()).reason).toContain('not running');
    expect(await look()).toMatchObject({ state: 'deleting' });
    await expect(start({ mounts: [{ storage: data.id }] })).rejects.toMatchObject({ code: 'not-found' });
    await reconciler.stop();
    runtime.faults.unreachable = false;
    reconciler = await FakeReconciler.start(server.storage, {}, runtime);
    await expect.poll(() => gone(data.id)).toBe(true);
    expect(runtime.engine.storages.has(volume(data.id))).toBe(false);
  });

  test('by an administrator is written down with whose it was', async () => {
    const { id } = await make();
    await server.people.root.client.deleteStorage({ params: { storage: id } });
    expect(server.logged()).toMatch(new RegExp(`"audit":"storage.delete","actor":"root".*"subject":"${id}".*"owner":"alice"`));
    await expect.poll(() => gone(id)).toBe(true);
  });
});
