import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clearBed, makeBed, nothingLeftOver, type Bed } from './bed.ts';
import { EngineLedger } from './engine-ledger.ts';
import { create, hasEnded, isRunning, live } from './life.ts';

const run = promisify(execFile);
let bed: Bed;
beforeAll(async () => (bed = await makeBed()));
afterAll(async () => expect(await clearBed(bed)).toEqual([]));

async function running() {
  const session = await create(bed.keeper);
  await bed.keeper.until(session.id, 'running', isRunning);
  const [info] = await bed.ledger.containersOf(session.id);
  if (info === undefined) throw new Error('no container');
  return { id: session.id, container: bed.ledger.container(info.Id) };
}

test('its container is removed while nobody looks: the session says so', async () => {
  const { id, container } = await running();
  await bed.keeper.kill();
  await container.remove({ force: true });
  const ended = await bed.keeper.until(id, 'ended', hasEnded);
  expect(ended).toMatchObject({ state: 'error', cause: { code: 'container-lost' } });
  expect(await nothingLeftOver(bed)).toEqual([]);
});

test('its container is killed: it finished, with the code', async () => {
  const { id, container } = await running();
  await container.kill();
  expect(await bed.keeper.until(id, 'ended', hasEnded)).toMatchObject({ state: 'terminated', exitCode: 137 });
});

test('its container is frozen: it is thawed', async () => {
  const { id, container } = await running();
  await container.pause();
  await expect.poll(async () => (await container.inspect()).State.Paused, { timeout: 30_000 }).toBe(false);
  expect((await bed.keeper.until(id, 'running', isRunning)).wanted).toBe('running');
});

test('its network is taken away: stopping still leaves nothing', async () => {
  const { id } = await running();
  const networks = await bed.ledger.engine.listNetworks({ filters: { label: [`berth.instance=${bed.instance}`] } });
  const mine = networks.find(({ Labels }) => Labels?.['berth.session'] === id);
  if (mine === undefined) throw new Error('no network');
  const network = bed.ledger.engine.getNetwork(mine.Id);
  const [info] = await bed.ledger.containersOf(id);
  await network.disconnect({ Container: info?.Id ?? '', Force: true });
  await network.remove();
  await bed.keeper.ask((client) => client.terminateSession({ params: { session: id }, body: {} }));
  await bed.keeper.until(id, 'ended', hasEnded);
  expect(await nothingLeftOver(bed)).toEqual([]);
});

test('a container that no session knows is kept aside, not removed', async () => {
  const { container } = await running();
  const { Config, Image } = await container.inspect();
  const unknown = '01900000-0000-7000-8000-00000000dead';
  const stray = await bed.ledger.engine.createContainer({
    name: `berth-${unknown}-g1-main1`,
    Image,
    Cmd: ['sleep', '600'],
    Labels: { ...Config.Labels, 'berth.session': unknown },
  });
  await stray.start();
  await expect
    .poll(async () => (await bed.keeper.ask((client) => client.listNodes({ query: {} }))).items[0]?.quarantined, { timeout: 30_000 })
    .toBe(1);
  expect((await stray.inspect()).State.Running).toBe(true);
  await stray.remove({ force: true });
});

test('PostgreSQL is killed: it comes back and nothing is lost', async () => {
  const { id } = await running();
  const pid = Number(
    (await readFile(`${bed.keeper.berth.dataFolder}/postgres/data/postmaster.pid`, 'utf8').catch(() => findPostmaster())).split('\n')[0],
  );
  process.kill(pid, 'SIGKILL');
  const other = await live(bed.keeper);
  expect(other.state).toBe('terminated');
  expect(await bed.keeper.until(id, 'running', isRunning)).toMatchObject({ id });
});

async function findPostmaster(): Promise<string> {
  const { stdout } = await run('find', [bed.keeper.berth.dataFolder, '-name', 'postmaster.pid']);
  return readFile(stdout.trim().split('\n')[0] ?? '', 'utf8');
}

test('the firewall rules are flushed: they come back', async () => {
  const before = await EngineLedger.firewallRules(bed.instance);
  expect(before.length).toBeGreaterThan(0);
  const jump = before.find((rule) => rule.startsWith('-A INPUT'));
  await run(
    'iptables',
    (jump ?? '')
      .replace('-A', '-D')
      .split(' ')
      .map((word) => word.replaceAll('"', '')),
  );
  await expect
    .poll(async () => (await EngineLedger.firewallRules(bed.instance)).some((rule) => rule === jump), { timeout: 30_000 })
    .toBe(true);
});
