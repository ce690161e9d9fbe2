import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, CreateSessionInput, Session } from '@berth/contract';
import { BerthProcess } from '../support/berth-process.ts';
import { berth, type Ran } from '../support/command-line.ts';
import { NodeRegistry } from '../support/node-registry.ts';
import { CLUSTERS } from '../support/platforms.ts';
import type { TestNamespace } from '../support/test-namespace.ts';
import { endAll, hasEnded, until } from '../support/until.ts';

const SLEEP = ['sleep', '600'];

describe.each(CLUSTERS)('on $name a session', ({ on, image }) => {
  let server: BerthProcess;
  let client: Client;
  let namespace: TestNamespace;
  beforeAll(async () => {
    server = await BerthProcess.start({ ...on, env: { BERTH_DEFAULT_IMAGE: image, BERTH_READY_TIMEOUT: '20s', BERTH_STOP_GRACE: '2s' } });
    client = await server.client();
    if (server.namespace === undefined) throw new Error('a server on a cluster has a namespace');
    namespace = server.namespace;
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
  });

  const create = (more: CreateSessionInput = {}) => client.createSession({ body: { image, pull: 'never', command: SLEEP, ...more } });
  const running = (id: string) => until(client, id, 'running', ({ state }) => state === 'running');
  const runningOne = async (more: CreateSessionInput = {}) => running((await create(more)).id);
  const ended = (id: string) => until(client, id, 'ended', hasEnded);
  const end = async (id: string) => {
    await client.terminateSession({ params: { session: id }, body: {} });
    return ended(id);
  };
  const exec = async (id: string, text: string) => (await berth(server, ['session', 'exec', id, '--', 'sh', '-c', text])).stdout;
  const shown = async (id: string) => (await berth(server, ['session', 'show', id])).stdout;
  const podsOf = async ({ id }: { id: string }) =>
    (await namespace.pods()).flatMap(({ metadata }) => (metadata?.name?.includes(id) === true ? [metadata.name] : []));

  describe('that no node can take', () => {
    test('waits, names the reason of each node, and leaves nothing when it is cancelled', async () => {
      const session = await create({ resources: { cpu: 99 } });
      const nodes = (await client.listNodes({ query: {} })).items;
      for (const { name } of nodes)
        await expect.poll(() => shown(session.id), { timeout: 30_000 }).toMatch(new RegExp(`${name}: needs 99 CPUs, [\\d.]+ free of \\d`));
      expect(await podsOf(session)).toHaveLength(1);
      expect(await end(session.id)).toMatchObject({ state: 'cancelled', startedAt: null });
      expect((await namespace.things()).filter((thing) => thing.includes(session.id))).toEqual([]);
    });

    test('is given up with the reason after the time it was given', async () => {
      const { code, stderr } = await berth(server, ['session', 'create', '--gpus', '1', '--timeout', '2s', '--', 'true']);
      expect(code).toBe(124);
      expect(stderr).toMatch(/needs 1 GPU, 0 free of 0/);
      expect(stderr).toMatch(/no room within 2s/);
    });
  });

  describe('of an image', () => {
    let registry: NodeRegistry;
    beforeAll(async () => {
      registry = await NodeRegistry.start(namespace.core, image);
    });
    afterAll(() => registry.stop());

    const started = (reference: string, ...more: string[]): Promise<Ran> =>
      berth(server, ['session', 'create', '--image', `docker://${reference}`, '--node', registry.node, ...more, '--', 'true']);

    test.each([
      [
        'that is not in its registry',
        () => started(`${registry.address}/missing/image:1`),
        /there is no image "[^"]*missing\/image:1".*Check its name and tag/,
      ],
      [
        'that its registry keeps to itself',
        () => started(`${registry.address}/denied/image:1`),
        /the registry does not hand out "[^"]*denied\/image:1"/,
      ],
      [
        'of a registry that does not answer',
        () => started('127.0.0.1:1/some/image:1'),
        /"127\.0\.0\.1:1\/some\/image:1" could not be fetched: .*Check the registry's name/,
      ],
      [
        'that is not there and may not be pulled',
        () => started('no/such-image', '--pull', 'never'),
        /there is no image "no\/such-image[^"]*": it is not on this node, and pulling was ruled out.*--pull never/,
      ],
    ])('%s ends with 1 and says so', async (_, run, words) => {
      const { code, stderr } = await run();
      expect(stderr.replaceAll('\n', ' ')).toMatch(words);
      expect(code).toBe(1);
    });

    test('that has no shell runs the command it was given', async () => {
      const pause = await imageWithoutShell(namespace);
      const { id } = await runningOne({ image: `docker://${pause}`, command: ['/pause'] });
      expect(await end(id)).toMatchObject({ state: 'terminated' });
    });

    test('that has no shell cannot be entered, and says so', async () => {
      const pause = await imageWithoutShell(namespace);
      const { id } = await create({ image: `docker://${pause}`, command: [] });
      expect(await ended(id)).toMatchObject({ state: 'error', cause: { code: 'no-shell' } });
    });
  });

  test('that is paused has no pod; resumed, it has a new one, the same home, and the logs of both', async () => {
    const session = await runningOne({
      command: ['sh', '-c', 'echo "life $(cat ~/life 2>/dev/null || echo one)"; echo two > ~/life; exec sleep 600'],
    });
    const params = { session: session.id };
    const logs = async () => (await berth(server, ['session', 'logs', session.id])).stdout;
    const [first] = await podsOf(session);
    await client.pauseSession({ params, body: {} });
    await until(client, session.id, 'paused', ({ state }) => state === 'paused');
    expect(await podsOf(session)).toEqual([]);
    expect(await logs()).toBe('life one\n');
    await client.resumeSession({ params, body: {} });
    expect(await running(session.id)).toMatchObject({ generation: session.generation + 1, restarts: 0 });
    expect(await podsOf(session)).not.toContain(first);
    await expect.poll(logs, { timeout: 30_000 }).toBe('life one\nlife two\n');
    await exec(session.id, 'rm ~/life');
    await end(session.id);
    expect(await logs()).toBe('life one\nlife two\n');
  });

  test('that is restarted keeps its id and gets a new pod', async () => {
    const session = await runningOne();
    const [first] = await podsOf(session);
    await client.restartSession({ params: { session: session.id }, body: {} });
    await until(client, session.id, 'restarted', ({ state, restarts }) => state === 'running' && restarts === 1);
    const pods = await podsOf(session);
    expect(pods).toHaveLength(1);
    expect(pods).not.toContain(first);
    await end(session.id);
  });

  test('shares its home with the others of its user', async () => {
    const [one, other] = await Promise.all([runningOne(), runningOne()]);
    await exec(one.id, 'echo shared > ~/between');
    expect(await exec(other.id, 'cat ~/between; rm ~/between')).toBe('shared\n');
    await Promise.all([end(one.id), end(other.id)]);
  });

  test('sees variables that nobody sees who looks at its pod', async () => {
    const session = await runningOne({ env: { KEY: 'a-value-of-its-own' } });
    expect(await exec(session.id, 'echo $KEY')).toBe('a-value-of-its-own\n');
    const pods = JSON.stringify(await namespace.pods());
    expect(pods).toContain(session.id);
    expect(pods).not.toContain('a-value-of-its-own');
    await end(session.id);
  });

  test('runs when its port answers', async () => {
    const { id } = await create({
      port: 8000,
      command: ['sh', '-c', 'while [ ! -e ~/go ]; do sleep 0.1; done; exec python3 -m http.server 8000'],
    });
    await until(client, id, 'waiting for its port', ({ reason }) => reason.includes('waiting for port 8000'));
    expect((await client.getSession({ params: { session: id } })).state).toBe('preparing');
    const other = await runningOne();
    await exec(other.id, 'touch ~/go');
    await running(id);
    await exec(other.id, 'rm ~/go');
    await Promise.all([end(id), end(other.id)]);
  });

  test('whose port never answers fails with that cause', async () => {
    const { id } = await create({ port: 8000 });
    expect(await ended(id)).toMatchObject({ state: 'error', cause: { code: 'port-never-answered' } });
  });

  test.each<[string, (id: string) => Promise<unknown>, (session: Session) => boolean, (session: Session) => boolean]>([
    [
      'pause',
      (id) => client.pauseSession({ params: { session: id }, body: {} }),
      ({ state }) => state === 'pausing',
      ({ state }) => state === 'paused',
    ],
    ['terminate', (id) => client.terminateSession({ params: { session: id }, body: {} }), ({ state }) => state === 'terminating', hasEnded],
  ])('reaches its end when the server is killed in the middle of a %s', async (_, wish, midway, done) => {
    const { id } = await runningOne({ command: ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'] });
    await wish(id);
    await until(client, id, 'midway', midway);
    await server.kill();
    await server.start();
    await until(client, id, 'done', done);
    expect(await podsOf({ id })).toEqual([]);
    await end(id);
  });

  test('runs when the server is killed in the middle of its creation', async () => {
    const { id } = await create();
    await until(client, id, 'begun', ({ generation }) => generation > 0);
    await server.kill();
    await server.start();
    await running(id);
    expect(await podsOf({ id })).toHaveLength(1);
    await end(id);
  });

  test('leaves nothing: no pod, secret, service or network policy', async () => {
    await endAll(client);
    expect(await namespace.things()).toEqual([]);
  });
});

/** Every node has one: it holds the network of each pod. */
async function imageWithoutShell({ core }: TestNamespace): Promise<string> {
  const names = (await core.listNode()).items.flatMap(({ status }) => status?.images?.flatMap((one) => one.names ?? []) ?? []);
  const pause = names.find((name) => /\/pause:/.test(name));
  if (pause === undefined) throw new Error(`no node tells of its pause image: ${names.join(', ')}`);
  return pause;
}
