import { hostname, networkInterfaces } from 'node:os';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, CreateSessionInput } from '@berth/contract';
import { BerthProcess } from '../support/berth-process.ts';
import { berth } from '../support/command-line.ts';
import { ENGINES } from '../support/engines.ts';
import { endAll, hasEnded, until } from '../support/until.ts';

const IMAGE = `docker://${process.env['BERTH_TEST_IMAGE'] ?? 'dev/debian:latest'}`;
const SLEEP = ['sh', '-c', 'trap "exit 0" TERM HUP; while :; do sleep 0.1; done'];

describe.each(ENGINES)('a session on $name', ({ host }) => {
  let server: BerthProcess;
  let client: Client;
  beforeAll(async () => {
    server = await BerthProcess.start({
      dockerHost: host,
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
    const first = await runningOne({ resources: { cpu: 2 } });
    const second = await create({ resources: { cpu: 1 } });
    const waiting = await until(client, second.id, 'waiting with a reason', (session) => session.waiting !== null);
    expect(waiting.reason).toContain(`needs 1 CPU, 0 free of 2 (in use by your session ${first.name})`);
    await end(first.id);
    await until(client, second.id, 'running', ({ state }) => state === 'running');
    await end(second.id);
  });

  test('is refused at once when it could never run', async () => {
    await expect(create({ resources: { cpu: 99 } })).rejects.toMatchObject({
      code: 'never-fits',
      message: expect.stringContaining('has 2 CPUs') as string,
    });
    await expect(create({ resources: { gpu: 3 } })).rejects.toMatchObject({ code: 'never-fits' });
  });

  test('gets devices that nobody else has', async () => {
    const sessions = await Promise.all([runningOne({ resources: { gpu: 1 } }), runningOne({ resources: { gpu: 1 } })]);
    expect(sessions.flatMap(({ resources }) => resources.devices).toSorted()).toEqual(['gpu-a', 'gpu-b']);
    await Promise.all(sessions.map(({ id }) => end(id)));
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

  test('is paused with its memory, and resumed', async () => {
    const { id } = await runningOne();
    const params = { session: id };
    await client.pauseSession({ params, body: {} });
    expect(await until(client, id, 'paused', ({ state }) => state === 'paused')).toMatchObject({ frozen: true });
    await client.resumeSession({ params, body: {} });
    expect(await until(client, id, 'running', ({ state }) => state === 'running')).toMatchObject({ frozen: false, restarts: 0 });
    await end(id);
  });

  test('is restarted in place: same container, same files', async () => {
    const { id, generation } = await runningOne({
      command: ['sh', '-c', 'echo start >> /tmp/starts; cat /tmp/starts; trap "exit 0" TERM; while :; do sleep 0.1; done'],
    });
    await client.restartSession({ params: { session: id }, body: {} });
    const again = await until(client, id, 'restarted', ({ state, restarts }) => state === 'running' && restarts === 1);
    expect(again.generation).toBe(generation);
    expect((await berth(server, ['session', 'exec', id, '--', 'cat', '/tmp/starts'])).stdout).toBe('start\nstart\n');
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

  test('reaches the Internet but no address of this machine, no other session and no metadata service', async () => {
    const listener = createServer((socket) => socket.end()).listen(0, '0.0.0.0');
    await once(listener, 'listening');
    const address = listener.address();
    const port = address === null || typeof address === 'string' ? 0 : address.port;
    const other = await runningOne({ port: 8000, command: ['python3', '-m', 'http.server', '8000'] });
    const otherAddress = (await berth(server, ['session', 'exec', other.id, '--', 'hostname', '-I'])).stdout.trim().split(' ')[0] ?? '';
    const hostAddresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address: ip }) => ip);
    const targets = [...hostAddresses.map((ip) => `${ip}:${port}`), `${otherAddress}:8000`, '169.254.169.254:80'];
    const probe = targets
      .map((target) => `timeout 3 bash -c '</dev/tcp/${target.replace(':', '/')}' 2>/dev/null && echo REACHED ${target}`)
      .join('; ');
    const gateway = `g=$(ip route 2>/dev/null | awk '/default/{print $3}'); g=\${g:-$(python3 -c "import socket,struct;print([socket.inet_ntoa(struct.pack('<L',int(l.split()[2],16))) for l in open('/proc/net/route') if l.split()[1]=='00000000'][0])")}; timeout 3 bash -c "</dev/tcp/$g/${port}" 2>/dev/null && echo REACHED gateway $g`;
    expect((await script(`${probe}; ${gateway}; echo done`)).stdout).toBe('done\n');
    const outside = process.env['BERTH_TEST_OUTSIDE'];
    if (outside !== undefined) {
      const reach = `timeout 10 bash -c '</dev/tcp/${outside.replace(':', '/')}' 2>/dev/null && echo reached || echo closed`;
      expect((await script(reach)).stdout).toBe('reached\n');
      expect((await script(reach, ['--egress', 'none'])).stdout).toBe('closed\n');
    }
    listener.close();
    await end(other.id);
  });

  test('is created once however often the same request is repeated', async () => {
    const body = { clientToken: 'the-same', image: IMAGE, pull: 'never' as const, command: SLEEP };
    const made = await Promise.all(Array.from({ length: 20 }, () => client.createSession({ body })));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    await expect(client.createSession({ body: { ...body, command: ['true'] } })).rejects.toMatchObject({ code: 'token-reused' });
    await end(made[0]?.id ?? '');
  });

  test('stopped before it got a place is cancelled, and nothing was made', async () => {
    const holder = await runningOne({ resources: { cpu: 2 } });
    const { id } = await create({ resources: { cpu: 2 } });
    expect(await end(id)).toMatchObject({ state: 'cancelled' });
    await end(holder.id);
  });
});
