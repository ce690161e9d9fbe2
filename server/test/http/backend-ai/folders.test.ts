import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FakeRuntime } from '../../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../../support/fake-reconciler.ts';
import { likeABrowser, realClient, refusal, type RealClient } from './real-client.ts';
import { Stage, TYPE } from './stage.ts';

let stage: Stage;
let reconciler: FakeReconciler;
let client: RealClient;
const runtime = new FakeRuntime();
beforeAll(async () => {
  likeABrowser();
  stage = await Stage.open({ removeStorages: () => reconciler.removal.nudge() });
  reconciler = await FakeReconciler.start(stage.server.storage, {}, runtime);
  client = realClient(stage.server.url, stage.keys.alice);
  await client.get_manager_version();
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await reconciler.stop();
  await stage.close();
});

let names = 0;
const freshName = (): string => `Folder_${(names += 1)}`;
const mountsOf = (sessionId: string) =>
  [...runtime.engine.containers.values()].find(({ spec }) => spec.ref.sessionId === sessionId)?.spec.mounts.slice(1);

describe('the real client', () => {
  test('makes a folder, finds it, mounts it, and deletes it when nothing mounts it any more', async () => {
    const { vfolder } = client;
    const hosts = await vfolder.list_hosts();
    expect(hosts.allowed).toContain(hosts.default);
    expect(await vfolder.list_allowed_types()).toEqual(['user']);
    const name = freshName();
    const made = await vfolder.create(name, hosts.default);
    expect(made).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name,
      host: hosts.default,
      permission: 'rw',
      usage_mode: 'general',
    });
    expect(await vfolder.list()).toContainEqual(
      expect.objectContaining({ id: made.id, name, is_owner: true, type: 'user', status: 'ready' }),
    );
    for (const text of [name, made.id]) expect(await vfolder.info(text)).toMatchObject({ id: made.id, name, created: expect.any(String) });

    const { sessionId } = await client.createIfNotExists(
      'debian',
      'with-folders',
      { mounts: [name], mount_map: { [name]: 'input' } },
      30_000,
    );
    expect(mountsOf(sessionId)).toMatchObject([{ target: '/home/work/input', readOnly: false }]);
    expect(await client.get_info(sessionId)).toMatchObject({ mounts: [name] });
    await expect(vfolder.delete(name)).rejects.toMatchObject({ statusCode: 400, description: expect.stringContaining('"with-folders"') });

    await client.destroy(sessionId);
    await expect
      .poll(
        () =>
          vfolder.delete(name).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    await expect(vfolder.info(name)).rejects.toMatchObject(refusal(404, 'No such virtual folder.'));
    expect(await vfolder.list()).not.toContainEqual(expect.objectContaining({ name }));
    await expect.poll(() => [...runtime.engine.storages.keys()].filter((volume) => volume.startsWith('storage-'))).toEqual([]);
  });

  test('hears in words of a name in use, of a folder that is not there, and of what is not there yet', async () => {
    const { vfolder } = client;
    const name = freshName();
    await vfolder.create(name, 'default');
    await expect(vfolder.create(name, 'default')).rejects.toMatchObject(
      refusal(400, 'The virtual folder already exists with the same name.'),
    );
    await expect(vfolder.create('x', 'default')).rejects.toMatchObject(refusal(400, 'Input validation error'));
    await expect(vfolder.create(freshName(), 'elsewhere')).rejects.toMatchObject({ statusCode: 400 });
    await expect(vfolder.delete('nowhere')).rejects.toMatchObject(refusal(404, 'No such virtual folder.'));
    await expect(vfolder.list_files('.', name)).rejects.toMatchObject(refusal(501, 'This API is not implemented.'));
    await expect(vfolder.list_invitees()).rejects.toMatchObject(refusal(501, 'This API is not implemented.'));
    const mounting = client.createIfNotExists('debian', 'nowhere-mounted', { mounts: ['nowhere'] });
    await expect(mounting).rejects.toMatchObject(refusal(404, 'No such virtual folder.'));
  });
});

test('folders are mounted below /home/work by their name, or wherever their alias says; for reading only where asked', async () => {
  const [data, out] = [freshName(), freshName()];
  for (const name of [data, out])
    expect((await stage.py.send('POST', '/folders', { body: { name, host: null, group: null } })).status).toBe(201);
  const config = { mounts: [data, `${out}:/data/out`], mount_map: null, mount_options: { [data]: { permission: 'ro' } } };
  const { body } = await stage.create({ config, enqueueOnly: false });
  expect(mountsOf(String(body['sessionId']))).toMatchObject([
    { target: `/home/work/${data}`, readOnly: true },
    { target: '/data/out', readOnly: false },
  ]);
});

test.each([
  ['six of them', { mounts: ['a', 'b', 'c', 'd', 'e', 'f'] }],
  ['one twice', { mounts: ['data', 'data'] }],
  ['a place for what is not mounted', { mount_map: { constructor: 'x' } }],
])('a session with %s is refused before anything is looked for', async (_, config) =>
  expect(await stage.create({ config, lang: 'NO IMAGE' })).toMatchObject({ status: 400, body: { type: `${TYPE}invalid-api-params` } }),
);

test("a place that is the system's is refused", async () => {
  const name = freshName();
  await stage.js.send('POST', '/folders', { body: { name } });
  for (const alias of ['/etc/secrets', '..', 'a/../../..', '/'])
    expect(await stage.create({ config: { mounts: [name], mount_map: { [name]: alias } } })).toMatchObject({
      status: 400,
      body: { type: `${TYPE}invalid-api-params`, msg: expect.stringMatching(/\S/) },
    });
});

test('of a folder everybody else hears that there is none', async () => {
  const name = freshName();
  const { body } = await stage.js.send('POST', '/folders', { body: { name } });
  for (const text of [name, String(body['id'])]) {
    expect((await stage.bob.send('GET', `/folders/${text}`)).status).toBe(404);
    expect((await stage.bob.send('DELETE', `/folders/${text}`)).status).toBe(404);
    expect((await stage.create({ config: { mounts: [text] } }, stage.bob)).status).toBe(404);
  }
  expect((await stage.bob.send('GET', '/folders')).text).not.toContain(name);
  const asAlice = `?owner_access_key=${stage.keys.alice.accessKey}`;
  expect((await stage.bob.send('GET', `/folders${asAlice}`)).status).toBe(403);
  expect((await stage.root.send('GET', `/folders${asAlice}`)).text).toContain(name);
});

test.each([
  ['POST', '/folders', { name: 'grouped', group: 'default' }],
  ['POST', '/folders', { name: 'for-models', usage_mode: 'model' }],
  ['POST', '/folders', { name: 'read-only', permission: 'ro' }],
  ['POST', '/folders', { name: 'cloneable', cloneable: true }],
  ['POST', '/folders/any/rename', { new_name: 'other' }],
  ['POST', '/folders/any/upload', {}],
  ['DELETE', '/folders/any/delete_files', {}],
  ['GET', '/folders/invitations/list', undefined],
  ['GET', '/folders/_/all_hosts', undefined],
])('%s %s %j is told to be not there yet', async (method, path, body) =>
  expect(await stage.js.send(method, path, body === undefined ? {} : { body })).toMatchObject({
    status: 501,
    body: { type: `${TYPE}not-implemented`, msg: expect.stringContaining('not there yet') },
  }),
);
