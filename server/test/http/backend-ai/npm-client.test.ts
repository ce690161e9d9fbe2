import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FakeRuntime } from '../../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../../support/fake-reconciler.ts';
import { likeABrowser, realClient, refusal, type RealClient } from './real-client.ts';
import type { Keys } from './signing-client.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let reconciler: FakeReconciler;
const connect = (changes: Partial<Keys> = {}): RealClient => realClient(stage.server.url, { ...stage.keys.alice, ...changes });

beforeAll(async () => {
  likeABrowser();
  stage = await Stage.open();
  const runtime = new FakeRuntime({ missingImages: ['no-such-image:latest'] });
  reconciler = await FakeReconciler.start(stage.server.storage, {}, runtime);
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await reconciler.stop();
  await stage.close();
});

test('before it knows the version it says kernel, afterwards session', async () => {
  const client = connect();
  const early = await client.createIfNotExists('debian', 'early-bird', { enqueueOnly: true });
  expect([client.kernelPrefix, early.created]).toEqual(['/kernel', true]);
  expect(await client.get_info('early-bird')).toMatchObject({ lang: 'debian:latest' });
  expect(await client.get_manager_version()).toBe('22.09.19');
  expect(client.kernelPrefix).toBe('/session');
  expect(await client.get_info('early-bird')).toMatchObject({ lang: 'debian:latest' });
  expect(await client.getServerVersion()).toEqual({ version: 'v6.20220615', manager: '22.09.19' });
});

const statusOf = async (client: RealClient, name: string): Promise<unknown> => (await client.get_info(name))['status'];
const gone = (client: RealClient, name: string): Promise<boolean> =>
  statusOf(client, name).then(
    () => false,
    (error: { statusCode: number }) => error.statusCode === 404,
  );

test('a whole life: created, reused, looked at, read, restarted, destroyed', async () => {
  const client = connect();
  await client.get_manager_version();
  const resources = {
    cpu: 1,
    mem: '512m',
    group_name: 'default',
    domain: 'default',
    env: { A: '1' },
    type: 'interactive',
    cluster_size: 1,
  };
  const created = await client.createIfNotExists('debian', 'my_session.01', resources, 30_000);
  expect(created).toMatchObject({ sessionId: created.sessId, status: 'RUNNING', created: true });
  const again = await client.createIfNotExists('debian', 'my_session.01', resources);
  expect(again).toMatchObject({ sessionId: created.sessId, status: 'RUNNING', created: false });

  expect(await client.get_info('my_session.01')).toMatchObject({
    status: 'RUNNING',
    lang: 'debian:latest',
    environ: '{"A":"1"}',
    occupiedSlots: '{"cpu":"1","mem":"536870912"}',
  });
  expect(await client.get_logs('my_session.01')).toEqual({ result: { logs: expect.any(String) } });
  await client.restart('my_session.01');
  await expect.poll(() => statusOf(client, created.sessId), { timeout: 20_000 }).toBe('RUNNING');
  expect((await stage.server.storage.sessions.get(created.sessId))?.restarts).toBe(1);

  expect(await client.destroy('my_session.01')).toEqual({ stats: { status: 'terminated' } });
  await expect.poll(() => gone(client, 'my_session.01'), { timeout: 20_000 }).toBe(true);
  await expect(client.get_info('my_session.01')).rejects.toMatchObject(refusal(404, 'No such session.'));
  expect(await client.get_logs('my_session.01')).toEqual({ result: { logs: expect.any(String) } });
});

test('a batch session runs its command once, and is over', async () => {
  const client = connect();
  await client.get_manager_version();
  const { sessId } = await client.createIfNotExists('debian', 'my-batch', { type: 'batch', startupCommand: 'exit 0' }, 30_000);
  await expect.poll(() => gone(client, sessId), { timeout: 20_000 }).toBe(true);
  expect((await stage.server.storage.sessions.get(sessId))?.ending).toMatchObject({ exitCode: 0, finished: true });
});

test('an image that no registry has is told to who waits for it', async () => {
  const client = connect();
  await client.get_manager_version();
  const waiting = client.createIfNotExists('no-such-image', 'imageless', {}, 30_000);
  await expect(waiting).rejects.toMatchObject(refusal(404, 'No such environment image.'));
});

test('the slots there are', async () =>
  expect(await connect().get_resource_slots()).toEqual({ cpu: 'count', mem: 'bytes', 'cuda.device': 'count' }));

test('what goes wrong reaches its caller in words', async () => {
  const client = connect();
  await client.get_manager_version();
  await expect(client.createIfNotExists('debian', 'too-large', { mem: '1y' })).rejects.toMatchObject({
    ...refusal(406, 'No node could ever run this'),
    description: expect.stringContaining('ask for less'),
  });
  await expect(client.createIfNotExists('NO IMAGE', 'no-image')).rejects.toMatchObject(refusal(404, 'No such environment image.'));
  await expect(client.createIfNotExists('debian', 'x')).rejects.toMatchObject(refusal(400, 'Input validation error'));
});

test('a wrong key, a wrong secret and an expired clock are refused', async () => {
  const stranger = connect({ accessKey: 'AKIAAAAAAAAAAAAAAAAA' });
  await expect(stranger.get_info('any-one')).rejects.toMatchObject(refusal(401, 'Access key not found'));
  await expect(connect({ secretKey: 'wrong' }).get_info('any-one')).rejects.toMatchObject(refusal(401, 'Signature mismatch'));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 16 * 60_000 });
  const late = connect();
  const answer = late.get_info('any-one');
  vi.useRealTimers();
  await expect(answer).rejects.toMatchObject(refusal(400, 'Date/time sync error'));
});
