import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KILL_POINTS, type KillPoint } from '../../src/kill-points.ts';
import { clearBed, makeBed, nothingLeftOver, type Bed } from './bed.ts';
import { asked, create, FAULT_IMAGE, hasEnded, isRunning, live } from './life.ts';

let bed: Bed;
beforeAll(async () => (bed = await makeBed()));
afterAll(async () => {
  const leftovers = await clearBed(bed);
  console.log(
    `kill points: ${bed.keeper.kills} kills, ${bed.ledger.created} containers checked, violations: ${bed.ledger.violations.length + leftovers.length}`,
  );
  expect(leftovers).toEqual([]);
});

/** `npm run soak` goes round several times. */
const SIDES = Array.from({ length: Number(process.env['BERTH_TEST_REPEATS'] ?? 1) }, () => ['before', 'after']).flat();
const REGISTRY = process.env['BERTH_TEST_REGISTRY'];

/** What has to be done for the point to be passed, where a session's ordinary life does not come by. */
const DETOURS: Partial<Record<KillPoint, () => Promise<unknown>>> = {
  'engine.image-pull': async () => once({ image: `docker://${await published()}`, pull: 'always' }),
  'engine.image-import': async () => {
    await bed.ledger.engine.getImage('berth/base:latest').remove({ noprune: true });
    await once({ image: 'docker://berth/base', pull: 'missing' });
  },
  'store.session-explain': async () => {
    const [node] = (await bed.keeper.ask((client) => client.listNodes({ query: {} }))).items;
    const all = { cpu: node?.capacity.cpu ?? 1 };
    const holder = await create(bed.keeper, { resources: all });
    await bed.keeper.until(holder.id, 'running', isRunning);
    const waiter = await create(bed.keeper, { resources: all });
    await bed.keeper.until(waiter.id, 'waiting with its reason', ({ waiting }) => waiting !== null);
    for (const { id } of [waiter, holder]) await end(id);
  },
  'store.user': async () => {
    const body = { name: `u${randomUUID().slice(0, 8)}` };
    const made = bed.keeper.ask((client) => client.createUser({ body }));
    await made.catch((error: unknown) => expect(error).toMatchObject({ code: 'name-taken' }));
  },
  'store.token': () => bed.keeper.ask((client) => client.createToken({ body: { name: 'another' } })),
  'store.keypair': () => bed.keeper.ask((client) => client.createKeypair({ body: {} })),
};

/** The image in a registry, so that there is something to pull. */
async function published(): Promise<string> {
  const name = `${REGISTRY}/fault/base`;
  const { engine } = bed.ledger;
  await engine.getImage(FAULT_IMAGE.replace('docker://', '')).tag({ repo: name, tag: '1' });
  const pushing = await engine.getImage(`${name}:1`).push({ authconfig: {} });
  await new Promise<void>((resolve, reject) => {
    engine.modem.followProgress(pushing, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
  return `${name}:1`;
}

/** Passed only while a server starts, or too seldom to wait for. */
const AT_START: readonly KillPoint[] = ['engine.events', 'engine.info'];
/** Passed by the first session of a server's life, of a user who has no home on this engine. */
const FIRST_TIME: readonly KillPoint[] = [
  'engine.volume-inspect',
  'engine.volume-create',
  'engine.volume-prepare',
  'engine.container-archive',
];
/** Not the reconciler's: a person's connection ends with the server and is made again. */
const ON_DEMAND: readonly KillPoint[] = ['engine.container-attach', 'engine.container-exec'];

async function once(more: Parameters<typeof asked>[0]): Promise<void> {
  const { id } = await create(bed.keeper, more);
  await bed.keeper.until(id, 'running', isRunning);
  await end(id);
}

async function end(id: string): Promise<void> {
  await bed.keeper.ask((client) => client.terminateSession({ params: { session: id }, body: {} }));
  await bed.keeper.until(id, 'ended', hasEnded);
}

async function forgetFirstTimes(): Promise<void> {
  await rm(join(bed.keeper.berth.dataFolder, 'passwd'), { recursive: true, force: true });
  const { Volumes } = await bed.ledger.engine.listVolumes({ filters: { label: [`berth.instance=${bed.instance}`] } });
  for (const { Name } of Volumes) await bed.ledger.engine.getVolume(Name).remove();
}

/** Passed on a cluster only. */
const isElsewhere = (point: KillPoint): boolean => point.startsWith('cluster.');

describe.each(KILL_POINTS.filter((point) => !ON_DEMAND.includes(point) && !isElsewhere(point)))('the server is killed at %s', (point) => {
  test.each(SIDES)('%s the call: every session still reaches what was asked, and nothing is left over', async (side) => {
    const kills = bed.keeper.kills;
    if (FIRST_TIME.includes(point)) await forgetFirstTimes();
    if (AT_START.includes(point) || FIRST_TIME.includes(point)) await bed.keeper.armNextStart(`${point}:${side}`);
    else await bed.keeper.arm(`${point}:${side}`);
    const [ended] = await Promise.all([live(bed.keeper), DETOURS[point]?.()]);
    expect(ended).toMatchObject({ state: 'terminated' });
    await expect.poll(() => bed.keeper.kills, { timeout: 30_000, message: `${point} was never passed` }).toBeGreaterThan(kills);
    expect(await nothingLeftOver(bed)).toEqual([]);
    expect(bed.ledger.violations).toEqual([]);
  });
});

test('repeating an acknowledged create after a kill answers the same session', async () => {
  const body = asked({ clientToken: randomUUID() });
  const first = await bed.keeper.ask((client) => client.createSession({ body }));
  await bed.keeper.kill();
  const second = await bed.keeper.ask((client) => client.createSession({ body }));
  expect(second.id).toBe(first.id);
  await end(first.id);
});
