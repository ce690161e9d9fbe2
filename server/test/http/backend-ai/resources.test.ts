import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeRuntime } from '../../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../../support/fake-reconciler.ts';
import { until } from '../../storage/make.ts';
import { Stage, TYPE } from './stage.ts';

let stage: Stage;
let reconciler: FakeReconciler;
beforeAll(async () => {
  const runtime = new FakeRuntime();
  stage = await Stage.open({
    runtime,
    nodes: { report: () => reconciler.nodes.report(), capacities: () => reconciler.nodes.capacities() },
  });
  reconciler = await FakeReconciler.start(stage.server.storage, {}, runtime);
});
afterAll(async () => {
  await reconciler.stop();
  await stage.close();
});

test('what is used and what is left, in every slot', async () => {
  const { id } = await stage.made({ config: { resources: { cpu: '1.5', mem: '1g' } } });
  await until(async () => (await stage.server.storage.sessions.get(id))?.state === 'running', 'it runs');
  const held = { cpu: '1.5', mem: String(2 ** 30), 'cuda.device': '0' };
  const left = { cpu: '2.5', mem: String(7 * 2 ** 30), 'cuda.device': '0' };
  const unlimited = { cpu: 'Infinity', mem: 'Infinity', 'cuda.device': 'Infinity' };
  expect((await stage.js.send('POST', '/resource/check-presets', { body: { group: 'alice' } })).body).toEqual({
    keypair_limits: unlimited,
    keypair_using: held,
    keypair_remaining: unlimited,
    group_limits: unlimited,
    group_using: held,
    group_remaining: unlimited,
    scaling_group_remaining: left,
    scaling_groups: { default: { using: held, remaining: left } },
    presets: [],
  });
  expect((await stage.bob.send('POST', '/resource/check-presets', { body: { group: 'default' } })).body).toMatchObject({
    keypair_using: { cpu: '0', mem: '0', 'cuda.device': '0' },
  });
  expect((await stage.js.send('GET', '/manager/status')).body).toMatchObject({ status: 'running', active_sessions: 1 });
  const query = '{ agents { id status available_slots occupied_slots cpu_cur_pct mem_cur_bytes container_count } }';
  expect((await stage.root.send('POST', '/admin/graphql', { body: { query } })).body).toEqual({
    agents: [
      {
        id: 'fake',
        status: 'ALIVE',
        available_slots: JSON.stringify({ cpu: '4', mem: String(2 ** 33), 'cuda.device': '0' }),
        occupied_slots: JSON.stringify(held),
        cpu_cur_pct: 37.5,
        mem_cur_bytes: 2 ** 30,
        container_count: 1,
      },
    ],
  });
});

test.each([
  ['GET', '/resource/presets', { presets: [] }],
  ['GET', '/scaling-groups?group=default', { scaling_groups: [{ name: 'default' }] }],
] as const)('%s %s', async (method, path, body) => expect(await stage.js.send(method, path)).toMatchObject({ status: 200, body }));

test('templates are an empty list', async () => expect((await stage.js.send('GET', '/template/session?all=true')).text).toBe('[]'));

test('a group that is not hers is not there', async () => {
  expect(await stage.js.send('GET', '/scaling-groups?group=bob')).toMatchObject({ status: 404, body: { title: 'No such user group.' } });
  expect(await stage.js.send('POST', '/resource/check-presets', { body: { group: 'bob' } })).toMatchObject({ status: 404 });
});

test('who wants to sign in with a password hears that there are none', async () => {
  const answer = await stage.server.fetch('/auth/authorize', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'keypair', domain: 'default', username: 'alice', password: 'very secret' }),
  });
  expect([answer.status, await answer.json()]).toMatchObject([
    501,
    { type: `${TYPE}not-implemented`, msg: expect.stringContaining('keypair create') },
  ]);
  expect(stage.server.logged()).not.toContain('very secret');
});
