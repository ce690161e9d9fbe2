import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, CreateSessionInput } from '@berth/contract';
import { BerthProcess } from '../support/berth-process.ts';
import { berth } from '../support/command-line.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { endAll, hasEnded, until } from '../support/until.ts';

const SLEEP = ['sh', '-c', 'trap "exit 0" TERM HUP; while :; do sleep 0.1; done'];

describe.each(PLATFORMS)('a session on $name', ({ on, image: IMAGE, orchestrates }) => {
  let server: BerthProcess;
  let client: Client;
  beforeAll(async () => {
    server = await BerthProcess.start({
      ...on,
      env: { BERTH_NODE_CPUS: '2', BERTH_NODE_DEVICES: 'gpu-a,gpu-b', BERTH_NODE_NAME: hostname(), BERTH_DEFAULT_IMAGE: IMAGE },
    });
    client = await server.client();
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
  });

  const create = (more: CreateSessionInput = {}) =>
    client.createSession({ body: { image: IMAGE, pull: 'never', command: SLEEP, ...more } });
  const runningOne = async (more: CreateSessionInput = {}) =>
    until(client, (await create(more)).id, 'running', ({ state }) => state === 'running');
  const end = async (id: string) => {
    await client.terminateSession({ params: { session: id }, body: {} });
    return until(client, id, 'ended', hasEnded);
  };
  /** Runs a script in a session of its own and answers what it printed. */
  const script = async (text: string, more: string[] = []) =>
    berth(server, ['session', 'create', '--image', IMAGE, ...more, '--', 'sh', '-c', text]);

  test('passes output and exit code through', async () => {
    expect(await script('echo out; echo err >&2; exit 3')).toMatchObject({ code: 3, stdout: 'out\n' });
  });

  test('passes every byte through, from the first one', async () => {
    const { stdout } = await script('head -c 5000000 /dev/zero; printf end');
    expect(stdout.length).toBe(5_000_003);
    expect(stdout.endsWith('\0end')).toBe(true);
  });

  test('runs what is piped in', async () => {
    expect(await berth(server, ['session', 'create', '--image', IMAGE], { stdin: 'echo hi\n' })).toMatchObject({ code: 0, stdout: 'hi\n' });
  });

  test('keeps the home, owned by the user, and forgets the rest', async () => {
    expect((await script('echo kept > ~/x; touch /tmp/y; echo ~; stat -c %u ~/x')).stdout).toBe('/home/admin\n1000\n');
    expect((await script('cat ~/x; ls /tmp/y 2>/dev/null; whoami; id -u; pwd')).stdout).toBe('kept\nadmin\n1000\n/home/admin\n');
  });

  test('waits for room, says for what, and starts when there is some', async () => {
    const [node] = (await client.listNodes({ query: {} })).items;
    const here = { node: node?.name ?? '' };
    const first = await runningOne({ ...here, resources: { cpu: 1.5 } });
    const second = await create({ ...here, resources: { cpu: 1 } });
    const waiting = await until(client, second.id, 'waiting with a reason', (session) => (session.waiting?.reasons.length ?? 0) > 0);
    // A cluster also counts what is none of Berth's.
    const shortage = orchestrates
      ? (expect.stringMatching(/needs 1 CPU, 0(\.\d+)? free of 2/) as string)
      : `needs 1 CPU, 0.5 free of 2 (in use by your session ${first.name})`;
    expect(waiting.waiting?.reasons).toEqual([{ node: here.node, reason: shortage }]);
    await end(first.id);
    await until(client, second.id, 'running', ({ state }) => state === 'running');
    await end(second.id);
  });

  test('larger than any node is refused at once by an engine; of a cluster, which may grow, it waits for one', async () => {
    const wishes = [{ cpu: 99 }, { gpu: 3 }];
    if (!orchestrates) {
      for (const resources of wishes) await expect(create({ resources })).rejects.toMatchObject({ code: 'never-fits' });
      await expect(create({ resources: { cpu: 99 } })).rejects.toMatchObject({ message: expect.stringContaining('has 2 CPUs') as string });
      return;
    }
    const nodes = (await client.listNodes({ query: {} })).items.map(({ name }) => name);
    for (const [index, shortage] of [/needs 99 CPUs, [\d.]+ free of 2/, /needs 3 GPUs, 0 free of 0/].entries()) {
      const { id } = await create({ resources: wishes[index] ?? {} });
      const { waiting } = await until(client, id, 'waiting with a reason', (session) => (session.waiting?.reasons.length ?? 0) > 0);
      const reason = expect.stringMatching(shortage) as string;
      expect(waiting?.reasons.toSorted((a, b) => a.node.localeCompare(b.node))).toEqual(nodes.toSorted().map((node) => ({ node, reason })));
      expect(await end(id)).toMatchObject({ state: 'cancelled' });
    }
  });

  test('that runs out of memory says so', async () => {
    const { code, stderr } = await script('x=a; while :; do x=$x$x; done', ['--memory', '64MiB']);
    expect(code).toBe(137);
    expect(stderr).toMatch(/out of memory/i);
    const [last] = (await client.listSessions({ query: { all: 'true', limit: 1 } })).items;
    expect(last).toMatchObject({ state: 'error', exitCode: 137, cause: { code: 'out-of-memory' } });
  });

  test('whose command does not exist ends with 127 and names it', async () => {
    const { code, stderr } = await berth(server, ['session', 'create', '--image', IMAGE, '--', 'no-such-command']);
    expect(code).toBe(127);
    expect(stderr).toContain('no-such-command');
  });

  test('of an image that is not there and may not be pulled ends in words', async () => {
    const { code, stderr } = await berth(server, ['session', 'create', '--image', 'docker://no/such-image', '--pull', 'never']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Starting session .*\n.*no\/such-image.*\n[^]*no\/such-image/);
  });

  test('is paused and resumed: an engine keeps its memory, a cluster only its files', async () => {
    const { id, generation } = await runningOne({ command: ['sh', '-c', 'echo again >> ~/lives; exec sleep 600'] });
    const params = { session: id };
    await client.pauseSession({ params, body: {} });
    expect(await until(client, id, 'paused', ({ state }) => state === 'paused')).toMatchObject({ frozen: !orchestrates });
    await client.resumeSession({ params, body: {} });
    const resumed = await until(client, id, 'running', ({ state }) => state === 'running');
    expect(resumed).toMatchObject({ frozen: false, restarts: 0, generation: orchestrates ? generation + 1 : generation });
    const lives = orchestrates ? 'again\nagain\n' : 'again\n';
    expect((await berth(server, ['session', 'exec', id, '--', 'sh', '-c', 'cat ~/lives; rm ~/lives'])).stdout).toBe(lives);
    await end(id);
  });

  test('is restarted: by an engine in place, with the same files, by a cluster in a new container', async () => {
    const { id, generation } = await runningOne({
      command: ['sh', '-c', 'echo start >> /tmp/starts; cat /tmp/starts; trap "exit 0" TERM; while :; do sleep 0.1; done'],
    });
    await client.restartSession({ params: { session: id }, body: {} });
    const again = await until(client, id, 'restarted', ({ state, restarts }) => state === 'running' && restarts === 1);
    expect(again.generation).toBe(orchestrates ? generation + 1 : generation);
    const starts = orchestrates ? 'start\n' : 'start\nstart\n';
    expect((await berth(server, ['session', 'exec', id, '--', 'cat', '/tmp/starts'])).stdout).toBe(starts);
    await end(id);
  });

  test('keeps its log after it ended', async () => {
    const { id } = await create({ command: ['sh', '-c', 'for i in 1 2 3; do echo line $i; done; echo oops >&2'] });
    const ended = await until(client, id, 'ended', hasEnded);
    expect(ended.lastLog).toEqual(expect.arrayContaining(['line 3', 'oops']));
    expect((await berth(server, ['session', 'logs', '--tail', '2', id])).stdout.trim().split('\n').length).toBeLessThanOrEqual(2);
  });

  test('waits for its port before it is called running', async () => {
    const { id } = await create({ port: 8000, command: ['sh', '-c', 'sleep 0.5; exec python3 -m http.server 8000'] });
    const running = await until(client, id, 'running', ({ state }) => state === 'running' || state === 'error');
    expect(running.state).toBe('running');
    expect(running.timeline.map(({ step }) => step)).toEqual(expect.arrayContaining(['queue', 'create', 'start', 'ready']));
    await end(id);
  });

  test('is created once however often the same request is repeated', async () => {
    const body = { clientToken: 'the-same', image: IMAGE, pull: 'never' as const, command: SLEEP };
    const made = await Promise.all(Array.from({ length: 20 }, () => client.createSession({ body })));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    await expect(client.createSession({ body: { ...body, command: ['true'] } })).rejects.toMatchObject({ code: 'token-reused' });
    await end(made[0]?.id ?? '');
  });

  test('stopped before it got a place is cancelled, and nothing was made', async () => {
    const node = (await client.listNodes({ query: {} })).items[0]?.name ?? '';
    const holder = await runningOne({ node, resources: { cpu: 1.5 } });
    const { id } = await create({ node, resources: { cpu: 1 } });
    await until(client, id, 'waiting', ({ waiting }) => (waiting?.reasons.length ?? 0) > 0);
    expect(await end(id)).toMatchObject({ state: 'cancelled' });
    expect(await server.namespace?.things()).toEqual(orchestrates ? expect.not.arrayContaining([expect.stringContaining(id)]) : undefined);
    await end(holder.id);
  });
});
