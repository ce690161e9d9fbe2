import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Keys } from './signing-client.ts';
import { ending, Stage } from './stage.ts';

/** What is used of the real client, which has no types. Its entry in package.json names a file that is not there. */
interface RealClient {
  kernelPrefix: string;
  requestTimeout: number;
  getServerVersion(): Promise<{ version: string; manager: string }>;
  get_manager_version(): Promise<string>;
  get_resource_slots(): Promise<Record<string, string>>;
  createIfNotExists(image: string, name: string | undefined, resources?: object, timeout?: number): Promise<Created>;
  get_info(name: string, ownerKey?: string | null): Promise<Record<string, unknown>>;
  get_logs(name: string): Promise<{ result: { logs: string } }>;
  restart(name: string): Promise<unknown>;
  destroy(name: string, ownerKey?: string | null, forced?: boolean): Promise<{ stats: { status: string } }>;
  execute(name: string, runId: string, mode: string, code: string, options: object): Promise<unknown>;
}
interface Created {
  sessionId: string;
  sessId: string;
  status: string;
  created: boolean;
}
const { Client, ClientConfig } = createRequire(import.meta.url)('backend.ai-client/backend.ai-client-node.js') as {
  Client: new (config: object, agent: string) => RealClient;
  ClientConfig: new (accessKey: string, secretKey: string, endpoint: string) => object;
};

/** How it tells its caller: our message is in `description`. */
const refusal = (statusCode: number, title: string) => ({
  isError: true,
  statusCode,
  title: expect.stringMatching(new RegExp(`^${statusCode} .* - ${title}$`)),
  description: expect.stringMatching(/\S/),
});

let stage: Stage;
const connect = (changes: Partial<Keys> = {}): RealClient =>
  new Client(
    new ClientConfig(changes.accessKey ?? stage.keys.alice.accessKey, changes.secretKey ?? stage.keys.alice.secretKey, stage.server.url),
    'contract test',
  );

beforeAll(async () => {
  // It was written for browsers.
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => kept.set(key, text),
  });
  vi.stubGlobal('navigator', { onLine: true });
  stage = await Stage.open();
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await stage.close();
});

test('before it knows the version it says kernel, afterwards session', async () => {
  const client = connect();
  const early = await client.createIfNotExists('debian', 'early-bird', { enqueueOnly: true });
  expect([client.kernelPrefix, early.created]).toEqual(['/kernel', true]);
  expect(await client.get_info('early-bird')).toMatchObject({ status: 'PENDING' });
  expect(await client.get_manager_version()).toBe('22.09.19');
  expect(client.kernelPrefix).toBe('/session');
  expect(await client.get_info('early-bird')).toMatchObject({ status: 'PENDING' });
  expect(await client.getServerVersion()).toEqual({ version: 'v6.20220615', manager: '22.09.19' });
});

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
  const creating = client.createIfNotExists('debian', 'my_session.01', resources, 30_000);
  const id = await stage.appears('my_session.01');
  await stage.become(id, { state: 'running' });
  expect(await creating).toMatchObject({ sessionId: id, sessId: id, status: 'RUNNING', created: true });
  expect(await client.createIfNotExists('debian', 'my_session.01', resources)).toMatchObject({ sessionId: id, created: false });

  expect(await client.get_info('my_session.01')).toMatchObject({
    status: 'RUNNING',
    lang: 'debian:latest',
    environ: '{"A":"1"}',
    age: expect.any(Number),
  });
  expect(await client.get_logs('my_session.01')).toEqual({ result: { logs: '' } });
  await client.restart('my_session.01');
  expect(await client.get_info('my_session.01')).toMatchObject({ status: 'RESTARTING' });
  const restarting = await stage.server.storage.sessions.get(id);
  await stage.become(id, { restartServed: restarting?.restartWish ?? 0 });
  expect(await client.destroy('my_session.01')).toEqual({ stats: { status: 'terminated' } });
  expect(await client.destroy('my_session.01', null, true)).toEqual({ stats: { status: 'terminated' } });
  await stage.become(id, ending('terminated', { exitCode: 0 }));
  await expect(client.get_info('my_session.01')).rejects.toMatchObject(refusal(404, 'No such session.'));
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
  await expect(client.execute('early-bird', 'run-0001', 'query', '1', {})).rejects.toMatchObject(
    refusal(501, 'This API is not implemented.'),
  );
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
