import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containerEnvironment } from '../../../src/domain/sessions/container-environment.ts';
import { containerId } from '../../../src/domain/sessions/container-id.ts';
import type { Session, SubRecord } from '../../../src/domain/sessions/session.ts';
import { kernelsOf } from '../../../src/http/backend-ai/kernels.ts';
import { ending, Stage, TYPE } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const stored = async (id: string): Promise<Session> => {
  const session = await stage.server.storage.sessions.get(id);
  if (session === undefined) throw new Error(`there is no session ${id}`);
  return session;
};
const sub = (name: string, changes: Partial<SubRecord> = {}): SubRecord => ({
  name,
  state: 'running',
  startedAt: null,
  exitCode: null,
  reason: null,
  ...changes,
});
const died = sub('sub1', { state: 'ended', exitCode: 137, reason: 'ended, exit 137' });

describe('clusterSize and clusterMode', () => {
  test.each([
    ['at root', { clusterSize: 4, clusterMode: 'multi-node' }, { size: 4, mode: 'multi-node' }],
    ['in other spellings, as text', { cluster_size: '3', cluster_mode: 'single-node' }, { size: 3, mode: 'single-node' }],
    ['in config, the older place', { config: { clusterSize: 2 } }, { size: 2, mode: 'single-node' }],
    ['of one', { clusterSize: 1, clusterMode: 'multi-node' }, undefined],
  ])('%s', async (_, body, cluster) => {
    const { id } = await stage.made(body);
    expect((await stored(id)).spec.cluster).toEqual(cluster);
  });

  test('more than a session may have: quota-exceeded', async () => {
    const answer = await stage.create({ clusterSize: 65 });
    expect(answer).toMatchObject({
      status: 412,
      body: { type: `${TYPE}quota-exceeded`, msg: expect.stringContaining('at most 64') as string },
    });
  });

  test.each([{ clusterSize: 0 }, { clusterSize: 'many' }, { clusterMode: 'everywhere' }])('%j: 400', async (body) => {
    expect((await stage.create(body)).status).toBe(400);
  });
});

test('each container has the variables of theirs, whatever was asked for by their names', async () => {
  const { id, name } = await stage.made({ clusterSize: 2, config: { environ: { BACKENDAI_CLUSTER_SIZE: '99', MINE: 'kept' } } });
  const session = await stored(id);
  expect(containerEnvironment(session, 'sub1')).toMatchObject({
    MINE: 'kept',
    BACKENDAI_SESSION_ID: id,
    BACKENDAI_SESSION_NAME: name,
    BACKENDAI_ACCESS_KEY: stage.keys.alice.accessKey,
    BACKENDAI_CLUSTER_SIZE: '2',
    BACKENDAI_CLUSTER_REPLICAS: 'main:1,sub:1',
    BACKENDAI_CLUSTER_HOSTS: 'main1,sub1',
    BACKENDAI_KERNEL_ID: containerId(id, 'sub1'),
    BACKENDAI_KERNEL_IMAGE: 'debian:latest',
    BACKENDAI_CLUSTER_ROLE: 'sub',
    BACKENDAI_CLUSTER_IDX: '1',
    BACKENDAI_CLUSTER_LOCAL_RANK: '1',
    BACKENDAI_CLUSTER_HOST: 'sub1',
  });
  const page = await stage.js.send('GET', `/session/${id}`);
  expect(JSON.parse(String(page.body['environ']))).toEqual({ BACKENDAI_CLUSTER_SIZE: '99', MINE: 'kept' });
});

test('a single one has them too', async () => {
  const { id } = await stage.made();
  expect(containerEnvironment(await stored(id), 'main1')).toMatchObject({
    BACKENDAI_CLUSTER_SIZE: '1',
    BACKENDAI_CLUSTER_REPLICAS: 'main:1',
    BACKENDAI_KERNEL_ID: id,
    BACKENDAI_CLUSTER_LOCAL_RANK: '0',
  });
});

test('one that runs without a container is RUNNING_DEGRADED, and can still be restarted, renamed and destroyed', async () => {
  const { id } = await stage.made({ clusterSize: 2, config: { resources: { cpu: 1 } } });
  await stage.become(id, { state: 'running', subs: [died] });
  const page = await stage.js.send('GET', `/session/${id}`);
  expect(page.body).toMatchObject({ status: 'RUNNING_DEGRADED', requestedSlots: '{"cpu":"2"}', occupiedSlots: '{"cpu":"2"}' });
  expect((await stage.js.send('POST', `/session/${id}/rename?name=${stage.freshName()}`)).status).toBe(204);
  expect((await stage.js.send('PATCH', `/session/${id}`)).status).toBe(204);
  expect((await stage.js.send('DELETE', `/session/${id}`)).status).toBe(200);
});

test('a create that waits is answered when it runs, degraded or not', async () => {
  const name = stage.freshName();
  const waiting = stage.create({ clientSessionToken: name, clusterSize: 2, enqueueOnly: false });
  await stage.become(await stage.appears(name), { state: 'running', subs: [died] });
  expect(await waiting).toMatchObject({ status: 201, body: { status: 'RUNNING_DEGRADED' } });
});

test('logs are those of the container that is named by its id', async () => {
  const { id } = await stage.made({ clusterSize: 2 });
  const chunk = (text: string): Buffer => Buffer.concat([Buffer.from([1, 0, 0, 0, text.length]), Buffer.from(text)]);
  for (const container of ['main1', 'sub1'])
    await stage.server.storage.sessions.keepLog({ sessionId: id, generation: 1, container }, chunk(container));
  await stage.become(id, ending('terminated'));
  const logs = async (kernel: string): Promise<unknown> =>
    (await stage.js.send('GET', `/session/${id}/logs?kernel_id=${kernel}`)).body['result'];
  expect(await logs(containerId(id, 'sub1'))).toEqual({ logs: 'sub1' });
  expect(await logs(id)).toEqual({ logs: 'main1' });
  const unknown = await stage.js.send('GET', `/session/${id}/logs?kernel_id=${containerId(id, 'sub2')}`);
  expect(unknown).toMatchObject({ status: 404, body: { title: 'No such kernel.', msg: expect.stringContaining('(sub1)') as string } });
});

test('its kernels are its containers', async () => {
  const { id } = await stage.made({ clusterSize: 3 });
  await stage.become(id, { state: 'running', subs: [died, sub('sub2')] });
  expect(
    kernelsOf(await stored(id)).map(({ role, index, localRank, host, status, exitCode }) => [
      role,
      index,
      localRank,
      host,
      status,
      exitCode,
    ]),
  ).toEqual([
    ['main', 1, 0, 'main1', 'RUNNING', null],
    ['sub', 1, 1, 'sub1', 'TERMINATED', 137],
    ['sub', 2, 2, 'sub2', 'RUNNING', null],
  ]);
});
