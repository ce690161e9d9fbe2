import { createServer, connect, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chainNames } from '../../src/runtimes/docker/firewall-rules.ts';
import { removeFirewall } from '../../src/runtimes/docker/firewall.ts';
import { resolvers } from '../../src/runtimes/docker/host-network.ts';
import type { ContainerRef } from '../../src/runtimes/runtime.ts';
import { ENGINES } from '../support/engines.ts';
import { bareEngine } from './engine-benches.ts';
import { eventually, Workbench } from './guarantees.ts';
import { OutsideWorld, output } from './outside-world.ts';

/** Anything that listens on all its addresses. */
const LISTENER = [
  'perl',
  '-MIO::Socket::INET',
  '-e',
  'my $s = IO::Socket::INET->new(LocalPort => 8123, Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { print $c "hello\\n"; close $c }',
];

describe.each(ENGINES)('on $name, a session', ({ host }) => {
  const work = new Workbench(host);
  const world = new OutsideWorld();
  let hostService: Server;
  let hostPort = 0;
  let ref: ContainerRef;
  let neighbour: ContainerRef;

  beforeAll(async () => {
    await world.open();
    hostService = createServer((socket) => socket.on('error', () => socket.destroy()).end('host\n')).listen(0, '0.0.0.0');
    await once(hostService, 'listening');
    const address = hostService.address();
    hostPort = typeof address === 'object' && address !== null ? address.port : 0;
    ref = await work.started();
    neighbour = await work.started({ command: LISTENER });
  });
  afterAll(async () => {
    hostService.close();
    await world.close();
  });

  const reaches = async (from: ContainerRef, address: string, port: number): Promise<boolean> =>
    (await work.inside(from, `timeout 5 bash -c 'exec 3<>/dev/tcp/${address}/${port}' && echo reached`)).output.includes('reached');

  it('is reached by this server at its endpoint', async () => {
    await eventually(async () => answers(await work.bench.runtime.endpoint(neighbour, 8123))).toBe(true);
  });

  it('reaches no address of the host', async () => {
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter((entry) => entry.family === 'IPv4' && !entry.internal);
    const bridges = (await bareEngine(work.bench).listNetworks())
      .flatMap((network) => network.IPAM?.Config ?? [])
      .flatMap((config) => config.Gateway ?? []);
    const all = new Set([...addresses.map((entry) => entry.address), ...bridges.filter((address) => !address.includes(':'))]);
    expect(all.size).toBeGreaterThan(2);
    for (const address of all) expect(`${address} ${await reaches(ref, address, hostPort)}`).toBe(`${address} false`);
  });

  it('reaches neither another session, nor a private network, nor the metadata of a cloud', async () => {
    const endpoint = await work.bench.runtime.endpoint(neighbour, 8123);
    expect(await answers(endpoint)).toBe(true);
    expect(await reaches(ref, endpoint?.host ?? '', 8123)).toBe(false);
    expect(await answers({ host: world.privateAddress, port: world.port })).toBe(true);
    expect(await reaches(ref, world.privateAddress, world.port)).toBe(false);
    expect(await reaches(ref, '169.254.169.254', 80)).toBe(false);
  });

  it('reaches the Internet and the name server', async () => {
    expect(await reaches(ref, world.address, world.port)).toBe(true);
    for (const resolver of await resolvers()) expect(await reaches(ref, resolver.address, 53)).toBe(true);
  });

  it('without egress reaches nothing at all, but is reached by this server', async () => {
    const sealed = await work.started({ egress: 'none', command: LISTENER });
    await eventually(async () => answers(await work.bench.runtime.endpoint(sealed, 8123))).toBe(true);
    expect(await reaches(sealed, world.address, world.port)).toBe(false);
    for (const resolver of await resolvers()) expect(await reaches(sealed, resolver.address, 53)).toBe(false);
    const network = await bareEngine(work.bench).getNetwork(`berth-${sealed.sessionId}`).inspect();
    for (const config of network.IPAM?.Config ?? []) expect(await reaches(sealed, config.Gateway ?? '', hostPort)).toBe(false);
  });

  it('has no way to the host over IPv6', async () => {
    const { output: addresses } = await work.inside(ref, 'cat /proc/net/if_inet6 2>/dev/null | grep -v " lo$"');
    expect(addresses).toBe('');
  });

  it('stays fenced in when rules were half removed, and gets them back', async () => {
    const ours = async () =>
      (await output('iptables-save', ['-t', 'filter'])).split('\n').filter((line) => line.includes(work.bench.instance));
    const rules = await ours();
    const leading = rules.filter((line) => line.endsWith(` -j ${chainNames(work.bench.instance).forward}`));
    expect(leading.length).toBeGreaterThan(1);
    for (const jump of leading) await output('sh', ['-c', `iptables -w ${jump.replace('-A', '-D')}`]);
    expect(await reaches(ref, world.privateAddress, world.port)).toBe(false);
    expect(await reaches(ref, world.address, world.port)).toBe(true);
    await work.bench.runtime.list();
    expect((await ours()).toSorted()).toEqual(rules.toSorted());
    const [node] = await work.bench.runtime.nodes();
    expect(node?.notices).toEqual([]);
  });

  it('leaves no rule behind when the installation is removed', async () => {
    await removeFirewall(work.bench.instance);
    expect(await output('iptables-save', [])).not.toContain(work.bench.instance);
  });
});

async function answers(endpoint: { host: string; port: number } | undefined): Promise<boolean> {
  if (endpoint === undefined) return false;
  const socket = connect(endpoint);
  socket.setTimeout(3000, () => socket.destroy());
  return new Promise((resolve) => {
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
