import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, CreateSessionInput, Session } from '@berth/contract';
import { BerthProcess } from '../support/berth-process.ts';
import { berth } from '../support/command-line.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { endAll, hasEnded, until } from '../support/until.ts';

const SLEEP = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'];
const PATIENCE = { timeout: 60_000, interval: 200 };

describe.each(PLATFORMS)('a session of several containers on $name', ({ on, image, orchestrates }) => {
  let server: BerthProcess;
  let client: Client;
  beforeAll(async () => {
    server = await BerthProcess.start({ ...on, env: { BERTH_DEFAULT_IMAGE: image, BERTH_STOP_GRACE: '2s' } });
    client = await server.client();
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
  });

  const create = (more: CreateSessionInput): Promise<Session> =>
    client.createSession({ body: { image, pull: 'never', command: SLEEP, clusterSize: 4, ...more } });
  const running = (id: string): Promise<Session> => until(client, id, 'running', ({ state }) => state === 'running');
  const runningOne = async (more: CreateSessionInput = {}): Promise<Session> => running((await create(more)).id);
  const end = async (id: string): Promise<Session> => {
    await client.terminateSession({ params: { session: id }, body: {} });
    return until(client, id, 'ended', hasEnded);
  };
  /** What a script prints in one of its containers. */
  const inside = async (id: string, container: string, script: string): Promise<string> =>
    (await berth(server, ['session', 'exec', id, '--container', container, '--', 'sh', '-c', script])).stdout;
  const states = ({ containers }: Session): string[] => containers.map(({ name, state }) => `${name} ${state}`);
  /** Its main process is killed from inside; where there is no init program it is the first one, which only hears what it listens to. */
  const kill = (id: string, container: string): Promise<string> =>
    inside(id, container, `kill -9 -1; ${orchestrates ? 'true' : 'kill -HUP 1; kill -TERM 1'}`);

  test('has four that find each other by name, and each knows which it is', async () => {
    const { id } = await runningOne({ name: 'four', env: { MINE: 'yes' } });
    await expect.poll(() => inside(id, 'main1', 'getent hosts sub2'), PATIENCE).toMatch(/^\S+\s+.*\bsub2\b/);
    await expect.poll(() => inside(id, 'sub3', 'getent hosts main1'), PATIENCE).toMatch(/main1/);
    expect(await inside(id, 'sub2', 'hostname; echo $MINE; env | grep ^BERTH_CLUSTER | sort')).toBe(
      [
        'sub2',
        'yes',
        'BERTH_CLUSTER_HOST=sub2',
        'BERTH_CLUSTER_HOSTS=main1,sub1,sub2,sub3',
        'BERTH_CLUSTER_INDEX=2',
        'BERTH_CLUSTER_RANK=2',
        'BERTH_CLUSTER_REPLICAS=main:1,sub:3',
        'BERTH_CLUSTER_ROLE=sub',
        'BERTH_CLUSTER_SIZE=4\n',
      ].join('\n'),
    );
    expect((await berth(server, ['session', 'show', id])).stdout).toMatch(/sub3 +running/);
    await end(id);
  });

  test('shows that one was killed, runs on, is whole after a restart, and ends with main1', async () => {
    const { id } = await runningOne();
    await kill(id, 'sub1');
    const degraded = await until(client, id, 'degraded', (session) => session.degraded);
    expect(states(degraded)).toEqual(['main1 running', 'sub1 ended', 'sub2 running', 'sub3 running']);
    expect(degraded.reason).toMatch(/^running, degraded: sub1 /);
    expect(await inside(id, 'main1', 'echo still here')).toBe('still here\n');
    await client.restartSession({ params: { session: id }, body: {} });
    const healed = await until(client, id, 'healed', ({ state, restarts }) => state === 'running' && restarts === 1);
    expect(states(healed)).toEqual(['main1 running', 'sub1 running', 'sub2 running', 'sub3 running']);
    await kill(id, 'main1');
    const ended = await until(client, id, 'ended', hasEnded);
    expect(ended).toMatchObject({ state: 'terminated', reason: expect.stringMatching(/^finished, exit/) as string });
    if (orchestrates) expect((await server.namespace?.things())?.filter((thing) => thing.includes(id))).toEqual([]);
  });

  test('keeps a log of each', async () => {
    const { id } = await create({ clusterSize: 2, type: 'batch', command: ['sh', '-c', 'echo "I am $BERTH_CLUSTER_HOST"'] });
    expect(await until(client, id, 'ended', hasEnded)).toMatchObject({ result: 'success' });
    expect((await berth(server, ['session', 'logs', id])).stdout).toBe('I am main1\n');
    expect(await berth(server, ['session', 'logs', id, '--container', 'sub1'])).toMatchObject({ code: 0 });
    expect(await berth(server, ['session', 'logs', id, '--container', 'sub2'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it has main1, sub1') as string,
    });
  });

  test('is paused and resumed as one', async () => {
    const { id } = await runningOne({ clusterSize: 2 });
    await client.pauseSession({ params: { session: id }, body: {} });
    await until(client, id, 'paused', ({ state }) => state === 'paused');
    await client.resumeSession({ params: { session: id }, body: {} });
    expect(states(await running(id))).toEqual(['main1 running', 'sub1 running']);
    await expect.poll(() => inside(id, 'main1', 'getent hosts sub1'), PATIENCE).toMatch(/sub1/);
    await end(id);
  });

  test('runs when the server is killed in the middle of its start', async () => {
    const { id } = await create({});
    await until(client, id, 'begun', ({ generation }) => generation > 0);
    await server.kill();
    await server.start();
    expect(states(await running(id))).toEqual(['main1 running', 'sub1 running', 'sub2 running', 'sub3 running']);
    await end(id);
  });

  test('of mode single-node is on one node, of mode multi-node wherever there is room', async () => {
    const nodesOf = ({ containers }: Session): Set<string | null> => new Set(containers.map(({ node }) => node));
    const single = await runningOne({ clusterMode: 'single-node' });
    expect(nodesOf(single).size).toBe(1);
    await end(single.id);
    const nodes = (await client.listNodes({ query: {} })).items.filter(({ status }) => status === 'ready');
    // More than any node could hold, and less than all together.
    const most = Math.max(...nodes.map(({ free }) => free.cpu));
    const cpu = Math.floor((most / 2.5) * 100) / 100;
    const multi = await create({ clusterMode: 'multi-node', ...(nodes.length > 1 && { resources: { cpu } }) });
    expect(nodesOf(await running(multi.id)).size).toBe(nodes.length > 1 ? 2 : 1);
    await end(multi.id);
  });
});
