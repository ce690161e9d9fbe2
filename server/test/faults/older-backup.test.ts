import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BerthProcess } from '../support/berth-process.ts';
import { EngineLedger } from './engine-ledger.ts';
import { FAULT_ENGINE, instanceOf, tagImage } from './bed.ts';
import { asked } from './life.ts';
import { berth } from '../support/command-line.ts';
import { hasEnded, until } from '../support/until.ts';

let server: BerthProcess;
const ledger = new EngineLedger(FAULT_ENGINE);
beforeAll(async () => {
  await tagImage(ledger);
  server = await BerthProcess.start({ dockerHost: FAULT_ENGINE, env: { BERTH_SWEEP_EVERY: '1s' } });
});
afterAll(() => server.dispose());

test('an older backup is restored: live sessions it does not know are kept aside, those it knows are adopted', async () => {
  const client = await server.client();
  const known = await client.createSession({ body: asked() });
  await until(client, known.id, 'running', ({ state }) => state === 'running');
  const file = join(server.dataFolder, 'older.backup');
  expect(await berth(server, ['backup', file])).toMatchObject({ code: 0 });
  const younger = await client.createSession({ body: asked() });
  await until(client, younger.id, 'running', ({ state }) => state === 'running');

  expect(await berth(server, ['restore', '--replace', file])).toMatchObject({ code: 1 });
  await server.stop();
  expect(await berth(server, ['restore', '--replace', file])).toMatchObject({ code: 0 });
  await server.start();

  const restored = await server.client();
  expect((await restored.listSessions({ query: { all: 'true' } })).items.map(({ id }) => id)).toEqual([known.id]);
  await expect.poll(async () => (await restored.listNodes({ query: {} })).items[0]?.quarantined, { timeout: 30_000 }).toBe(1);
  expect((await restored.getSession({ params: { session: known.id } })).state).toBe('running');
  const [stray] = await ledger.containersOf(younger.id);
  expect(stray?.State).toBe('running');

  await ledger.container(stray?.Id ?? '').remove({ force: true });
  await restored.terminateSession({ params: { session: known.id }, body: {} });
  await until(restored, known.id, 'ended', hasEnded);
  const instance = await instanceOf(server);
  await expect.poll(() => ledger.leftovers(instance, new Set()), { timeout: 30_000 }).toEqual([]);
});
