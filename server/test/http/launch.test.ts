import type { CreateSessionInput, Session } from '@berth/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeRuntime } from '../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../support/fake-reconciler.ts';
import { hasEnded, until } from '../support/until.ts';
import { ApiServer } from './api-server.ts';

const MIB = 1024 ** 2;
const runtime = new FakeRuntime();
let server: ApiServer;
let reconciler: FakeReconciler;
beforeAll(async () => {
  server = await ApiServer.start({}, { runtime });
  reconciler = await FakeReconciler.start(server.storage, {}, runtime);
});
afterAll(async () => {
  await reconciler.stop();
  await server.dispose();
});

const alice = () => server.people.alice.client;
const create = (body: CreateSessionInput): Promise<Session> => alice().createSession({ body: { command: ['sleep'], ...body } });
const running = async (body: CreateSessionInput): Promise<Session> =>
  until(alice(), (await create(body)).id, 'running', ({ state }) => state === 'running');
const ended = async (body: CreateSessionInput): Promise<Session> => until(alice(), (await create(body)).id, 'ended', hasEnded);
const refusal = (body: CreateSessionInput): Promise<unknown> =>
  create(body).then(
    () => 'taken',
    (error: unknown) => error,
  );

/** An image with these labels; `isHere`: on the node before anybody asks. */
function image(name: string, labels: Record<string, string>, { isHere = true, exposedPorts = [] as number[] } = {}): string {
  const reference = `${name}:latest`;
  runtime.engine.imageFacts.set(reference, { labels, exposedPorts });
  if (isHere) runtime.engine.images.add(reference);
  return `docker://${name}`;
}

describe('a bootstrap script', () => {
  test('is done before its session runs, and a step of its launch', async () => {
    const session = await running({ bootstrapScript: 'exit 0' });
    expect(session).toMatchObject({ bootstrap: true, startedAt: expect.any(String) });
    const steps = session.timeline.map(({ step }) => step);
    expect(steps.slice(steps.indexOf('start'))).toEqual(['start', 'bootstrap']);
    expect(JSON.stringify(session)).not.toContain('exit 0');
  });

  test('that runs is the reason why its session does not yet, until that is stopped', async () => {
    const { id } = await create({ bootstrapScript: 'sleep 600' });
    const waiting = await until(alice(), id, 'at its script', ({ reason }) => reason === 'running its bootstrap script');
    expect(waiting).toMatchObject({ state: 'preparing', startedAt: null });
    await alice().terminateSession({ params: { session: id }, body: {} });
    expect(await until(alice(), id, 'ended', hasEnded)).toMatchObject({ state: 'terminated', cause: null });
  });

  test('that fails is the cause of the failure, with its exit code', async () => {
    expect(await ended({ bootstrapScript: 'exit 3' })).toMatchObject({
      state: 'error',
      exitCode: 3,
      startedAt: null,
      cause: { code: 'bootstrap-failed', message: 'its bootstrap script failed with exit code 3, so its command was not run' },
    });
  });

  test('runs again when its session is restarted', async () => {
    const { id } = await running({ bootstrapScript: 'exit 0' });
    await alice().restartSession({ params: { session: id }, body: {} });
    const again = await until(alice(), id, 'restarted', ({ state, restarts }) => state === 'running' && restarts === 1);
    expect(again.timeline.filter(({ step }) => step === 'bootstrap')).toHaveLength(2);
  });

  test('of nothing but blanks is none', async () => {
    expect(await running({ bootstrapScript: ' \n' })).toMatchObject({ bootstrap: false });
  });

  test.each<[string, CreateSessionInput]>([
    ['is too long, in bytes', { bootstrapScript: 'ü'.repeat(8193) }],
    ['holds NUL', { bootstrapScript: 'a\0b' }],
    ['would not come before the entry point of its image', { bootstrapScript: 'true', keepEntrypoint: true }],
  ])('that %s is refused', async (_, body) => {
    expect(await refusal(body)).toMatchObject({ code: 'invalid-field', field: 'bootstrapScript' });
  });
});

describe('what an image needs at least and takes at most', () => {
  const labels = {
    'ai.backend.resource.min.cpu': '0.5',
    'ai.backend.resource.min.mem': '64m',
    'ai.backend.resource.max.mem': '1g',
  };

  test('is what a session gets that asks for nothing; shared memory comes on top', async () => {
    const sized = image('here/sized', labels);
    expect((await running({ image: sized })).resources).toMatchObject({ cpu: 0.5, memoryBytes: 64 * MIB, reserved: true });
    expect((await running({ image: sized, resources: { sharedMemory: '16MiB' } })).resources).toMatchObject({ memoryBytes: 80 * MIB });
  });

  test('refuses less and more, where the image is here', async () => {
    const sized = image('here/sized', labels);
    expect(await refusal({ image: sized, resources: { memory: '32MiB' } })).toMatchObject({
      code: 'invalid-field',
      field: 'resources.memory',
      message: expect.stringContaining('its label ai.backend.resource.min.mem is "64m"') as string,
    });
    expect(await refusal({ image: sized, resources: { cpu: 0.25 } })).toMatchObject({ field: 'resources.cpu' });
    expect(await refusal({ image: sized, resources: { memory: '2GiB' } })).toMatchObject({ field: 'resources.memory' });
  });

  test('is found out after the pull, where it is not', async () => {
    const sized = image('far/sized', labels, { isHere: false });
    expect(await ended({ image: sized, resources: { memory: '32MiB' } })).toMatchObject({
      state: 'error',
      cause: { code: 'resources-unfit', message: expect.stringContaining('ai.backend.resource.min.mem') as string },
    });
  });

  test('is not asked of an image that is pulled anew in any case', async () => {
    const sized = image('always/sized', { 'berth.resources.min.memory': '64GiB' });
    expect(await ended({ image: sized, pull: 'always' })).toMatchObject({ cause: { code: 'resources-unfit' } });
  });

  test('leaves room beside shared memory', async () => {
    expect(await refusal({ resources: { memory: '64MiB', sharedMemory: '64MiB' } })).toMatchObject({ field: 'resources.sharedMemory' });
  });
});

describe('services', () => {
  test('are those asked for, before the session runs already, and those of its image as soon as that is here', async () => {
    const serving = image('far/serving', { 'ai.backend.service-ports': 'jupyter:http:8888' }, { isHere: false, exposedPorts: [9000] });
    const made = await create({ image: serving, ports: [{ name: 'board', port: 6006 }], port: 8080 });
    expect(made.servicePorts).toEqual([
      { name: 'app', port: 8080, protocol: 'http' },
      { name: 'board', port: 6006, protocol: 'http' },
    ]);
    const known = await until(alice(), made.id, 'prepared', ({ servicePorts }) => servicePorts.length > 2);
    expect(known.servicePorts.map(({ name, port, protocol }) => `${name}:${port}/${protocol}`)).toEqual([
      'app:8080/http',
      'board:6006/http',
      'jupyter:8888/http',
      '9000:9000/tcp',
    ]);
  });

  test.each<[string, CreateSessionInput['ports']]>([
    [
      'with one name',
      [
        { name: 'a', port: 1 },
        { name: 'a', port: 2 },
      ],
    ],
    [
      'on one port',
      [
        { name: 'a', port: 1 },
        { name: 'b', port: 1 },
      ],
    ],
    ['that an address cannot name', [{ name: 'a--b', port: 1 }]],
    ['on no port', [{ name: 'a', port: 0 }]],
  ])('%s are refused', async (_, ports) => {
    expect(await refusal({ ports: ports ?? [] })).toMatchObject({
      code: 'invalid-field',
      field: expect.stringMatching(/^ports/) as string,
    });
  });
});

describe('an architecture', () => {
  test('that a node has is found, by any of its names', async () => {
    expect(await running({ architecture: 'amd64' })).toMatchObject({ architecture: 'x86_64', node: 'fake' });
    expect((await reconciler.nodes.report()).map(({ architecture }) => architecture)).toEqual(['x86_64']);
  });

  test('that no node has is waited for, and nobody else is held up by that', async () => {
    const { id } = await create({ architecture: 'arm64' });
    const waiting = await until(alice(), id, 'waiting', (session) => (session.waiting?.reasons.length ?? 0) > 0);
    expect(waiting).toMatchObject({
      state: 'pending',
      reason: expect.stringContaining('fake is x86_64, aarch64 was asked for') as string,
      waiting: { reasons: [{ node: 'fake', reason: 'fake is x86_64, aarch64 was asked for' }] },
    });
    await running({});
  });
});
