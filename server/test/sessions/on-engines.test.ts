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

/** What Berth does on an engine, and leaves to the cluster on a cluster: devices, and what a network lets through. */
describe.each(ENGINES)('on $name a session', ({ host }) => {
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

  const runningOne = async (more: CreateSessionInput) => {
    const { id } = await client.createSession({ body: { image: IMAGE, pull: 'never', command: ['sleep', '600'], ...more } });
    return until(client, id, 'running', ({ state }) => state === 'running');
  };
  const end = async (id: string) => {
    await client.terminateSession({ params: { session: id }, body: {} });
    return until(client, id, 'ended', hasEnded);
  };
  const script = async (text: string, more: string[] = []) =>
    berth(server, ['session', 'create', '--image', IMAGE, ...more, '--', 'sh', '-c', text]);

  test('gets devices that nobody else has', async () => {
    const sessions = await Promise.all([runningOne({ resources: { gpu: 1 } }), runningOne({ resources: { gpu: 1 } })]);
    expect(sessions.flatMap(({ resources }) => resources.devices).toSorted()).toEqual(['gpu-a', 'gpu-b']);
    await Promise.all(sessions.map(({ id }) => end(id)));
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
});
