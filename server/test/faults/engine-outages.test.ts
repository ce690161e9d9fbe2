import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clearBed, faultDaemon, makeBed, nothingLeftOver, type Bed } from './bed.ts';
import { create, hasEnded, isRunning } from './life.ts';

let bed: Bed;
beforeAll(async () => (bed = await makeBed()));
// One that fails in the middle leaves the others their engine.
afterEach(() => faultDaemon().start());
afterAll(async () => expect(await clearBed(bed)).toEqual([]));

const control = (id: string) => ({ params: { session: id }, body: {} });

describe.each([
  ['stopped', () => faultDaemon().stop()],
  ['killed', () => faultDaemon().kill()],
] as const)('the engine is %s and comes back', (_, end) => {
  test('running sessions run again, frozen ones stay paused, batch sessions say what happened, new ones wait or are refused in words', async () => {
    const running = await create(bed.keeper);
    const paused = await create(bed.keeper);
    const batch = await create(bed.keeper, { type: 'batch' });
    for (const { id } of [running, paused, batch]) await bed.keeper.until(id, 'running', isRunning);
    await bed.keeper.ask((client) => client.pauseSession(control(paused.id)));
    await bed.keeper.until(paused.id, 'paused', ({ state }) => state === 'paused');

    await end();
    const silent = await bed.keeper.ask((client) => client.getSession({ params: { session: running.id } }));
    expect(silent.state).toBe('running');
    await bed.keeper.ask((client) => client.terminateSession(control(batch.id)).catch(() => undefined));
    await faultDaemon().start();
    await bed.ledger.follow();

    const again = await bed.keeper.until(running.id, 'running after the outage', (session) => isRunning(session) && session.restarts > 0);
    expect(again.generation).toBe(running.generation === 0 ? 1 : running.generation);
    const ended = await bed.keeper.until(batch.id, 'ended', hasEnded);
    expect(['terminated', 'error']).toContain(ended.state);
    await bed.keeper.ask((client) => client.resumeSession(control(paused.id)));
    await bed.keeper.until(paused.id, 'running', isRunning);

    for (const { id } of [running, paused]) await bed.keeper.ask((client) => client.terminateSession(control(id)));
    for (const { id } of [running, paused]) await bed.keeper.until(id, 'ended', hasEnded);
    expect(await nothingLeftOver(bed)).toEqual([]);
    expect(bed.ledger.violations).toEqual([]);
  });
});

test('a batch session that the engine took down says so and is not repeated', async () => {
  const batch = await create(bed.keeper, { type: 'batch' });
  await bed.keeper.until(batch.id, 'running', isRunning);
  await faultDaemon().stop();
  await faultDaemon().start();
  await bed.ledger.follow();
  const ended = await bed.keeper.until(batch.id, 'ended', hasEnded);
  expect(ended).toMatchObject({ state: 'error', cause: { code: 'engine-restarted' } });
});

test('the engine goes while the server is down too', async () => {
  const session = await create(bed.keeper);
  await bed.keeper.until(session.id, 'running', isRunning);
  await faultDaemon().kill();
  await bed.keeper.kill();
  await faultDaemon().start();
  await bed.ledger.follow();
  await bed.keeper.until(session.id, 'running again', (again) => isRunning(again) && again.restarts > 0);
});
