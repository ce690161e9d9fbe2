import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FakeRuntime } from '../../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../../support/fake-reconciler.ts';
import { until } from '../../storage/make.ts';
import { likeABrowser, realClient, refusal, type RealClient } from './real-client.ts';
import { keysFor } from './signing-client.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let reconciler: FakeReconciler;
let alice: RealClient;
let root: RealClient;
let id: string;
beforeAll(async () => {
  likeABrowser();
  // It tells how many there are on the way.
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const runtime = new FakeRuntime();
  stage = await Stage.open({
    runtime,
    nodes: { report: () => reconciler.nodes.report(), capacities: () => reconciler.nodes.capacities() },
  });
  reconciler = await FakeReconciler.start(stage.server.storage, {}, runtime);
  const keysOfRoot = await keysFor(stage.server, stage.server.people.root);
  [alice, root] = [realClient(stage.server.url, stage.keys.alice), realClient(stage.server.url, keysOfRoot)];
  Object.assign(root, { is_admin: true, is_superadmin: true });
  for (const client of [alice, root]) await client.get_manager_version();
  ({ id } = await stage.made({ clientSessionToken: 'looked-up', config: { resources: { cpu: 1, mem: '1g' } } }));
  await until(async () => (await stage.server.storage.sessions.get(id))?.state === 'running', 'it runs');
});
afterAll(async () => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  await reconciler.stop();
  await stage.close();
});

test('sessions, with the fields it asks for by itself', async () => {
  expect(await alice.computeSession.list()).toMatchObject({
    compute_session_list: {
      items: [{ id, name: 'looked-up', image: 'debian:latest', status: 'RUNNING', terminated_at: null, containers: [expect.any(Object)] }],
      total_count: 1,
    },
  });
  expect(await alice.computeSession.total_count('TERMINATED')).toEqual({ compute_session_list: { total_count: 0 } });
  expect(await alice.computeSession.listAll()).toHaveLength(1);
  expect(await alice.computeSession.get(undefined, id)).toMatchObject({
    compute_session: { id, session_name: 'looked-up', status: 'RUNNING' },
  });
  expect(await root.computeSession.list(['id', 'user_email'])).toMatchObject({
    compute_session_list: { items: [{ id, user_email: 'alice' }] },
  });
});

test('who she is, and what she may use', async () => {
  expect(await alice.keypair.info('')).toMatchObject({
    keypair: { access_key: stage.keys.alice.accessKey, secret_key: null, user_id: 'alice' },
  });
  expect(await alice.keypair.list('alice')).toMatchObject({ keypairs: [{ access_key: stage.keys.alice.accessKey, is_active: true }] });
  expect(await alice.user.get('')).toMatchObject({ user: { username: 'alice', domain_name: 'default', groups: [{ name: 'alice' }] } });
  expect(await alice.group.list()).toMatchObject({ groups: [{ name: 'alice', is_active: true }] });
  expect(await alice.domain.get('default')).toMatchObject({ domain: { name: 'default', scaling_groups: ['default'] } });
  expect(await alice.resourcePolicy.get(null)).toMatchObject({ keypair_resource_policies: [{ name: 'default' }] });
  expect(await alice.resourcePolicy.get('default')).toMatchObject({ keypair_resource_policy: { name: 'default' } });
  expect(await alice.scalingGroup.list('default')).toEqual({ scaling_groups: [{ name: 'default' }] });
  expect(await alice.resourcePreset.list()).toEqual({ presets: [] });
  expect(await alice.resourcePreset.check({ group: 'alice' })).toMatchObject({ keypair_using: { cpu: '1' }, presets: [] });
  expect(await alice.image.list()).toMatchObject({ images: [{ name: 'berth/base', tag: 'latest' }] });
  expect(await alice.sessionTemplate.list()).toEqual([]);
});

test('what an administrator asks besides', async () => {
  expect(await root.agent.list()).toMatchObject({ agents: [{ id: 'fake', status: 'ALIVE' }] });
  expect(await root.resources.totalResourceInformation()).toMatchObject({ cpu: { total: 4, used: 1 }, mem: { total: 2 ** 33 } });
  expect((await root.user.list()).users.map(({ username }) => username)).toEqual(['alice', 'bob', 'root']);
  expect(await root.domain.list()).toMatchObject({ domains: [{ name: 'default' }] });
  expect(await root.scalingGroup.list_available()).toMatchObject({ scaling_groups: [{ name: 'default' }] });
});

test('what it wants to change is refused in a sentence', async () => {
  await expect(root.keypair.delete(stage.keys.alice.accessKey)).rejects.toMatchObject(refusal(501, 'This API is not implemented.'));
  expect((await stage.js.send('GET', '/auth')).status).toBe(200);
});
