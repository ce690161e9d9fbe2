import type { CreateSessionInput, Session } from '@berth/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN } from '../../src/domain/sessions/container-plan.ts';
import { FakeReconciler } from '../support/fake-reconciler.ts';
import { hasEnded, until } from '../support/until.ts';
import { ApiServer } from './api-server.ts';

let server: ApiServer;
let reconciler: FakeReconciler;
beforeAll(async () => {
  server = await ApiServer.start();
  reconciler = await FakeReconciler.start(server.storage, { sessionsPerUser: 8 });
});
afterAll(async () => {
  await reconciler.stop();
  await server.dispose();
});

const alice = () => server.people.alice.client;
const job = (command: string[], more: CreateSessionInput = {}, client = alice()): Promise<Session> =>
  client.createSession({ body: { type: 'batch', command, ...more } });
const show = (id: string, client = alice()): Promise<Session> => client.getSession({ params: { session: id } });
const ended = (id: string, client = alice()): Promise<Session> => until(client, id, 'ended', hasEnded);
const running = (id: string): Promise<Session> => until(alice(), id, 'running', ({ state }) => state === 'running');
const stop = (id: string, client = alice()): Promise<Session> => client.terminateSession({ params: { session: id }, body: {} });
const holdOf =
  (rule: string) =>
  (session: Session): boolean =>
    session.waiting?.holds?.some((hold) => hold.rule === rule) === true;

describe('the result', () => {
  test.each([
    [['true'], 'success', 0],
    [['false'], 'failure', 1],
    [['sh', '-c', 'exit 7'], 'failure', 7],
  ])('of %j is %s', async (command, result, exitCode) => {
    const made = await job(command);
    expect(made.result).toBeNull();
    expect(await ended(made.id)).toMatchObject({ state: 'terminated', result, exitCode });
  });

  test('of one that was stopped is no success', async () => {
    const { id } = await running((await job(['sleep'])).id);
    await stop(id);
    expect(await ended(id)).toMatchObject({ state: 'terminated', result: 'failure' });
  });
});

describe('what follows others', () => {
  test('starts when all have succeeded, in the order of the chain', async () => {
    const first = await job(['true'], { name: 'chain-1' });
    const second = await job(['true'], { name: 'chain-2', dependencies: ['chain-1'] });
    const third = await job(['true'], { dependencies: [first.id, 'chain-2'] });
    expect(await ended(third.id)).toMatchObject({
      result: 'success',
      dependencies: [
        { id: first.id, name: 'chain-1', state: 'terminated', result: 'success' },
        { name: 'chain-2', result: 'success' },
      ],
    });
    const starts = await Promise.all([first, second, third].map(async ({ id }) => (await show(id)).startedAt ?? ''));
    expect(starts.toSorted()).toEqual(starts);
  });

  test('waits until then, and says for what', async () => {
    const first = await job(['sleep'], { name: 'sleeper' });
    await running(first.id);
    const second = await job(['true'], { dependencies: ['sleeper'] });
    const waiting = await until(alice(), second.id, 'held', holdOf('dependencies'));
    expect(waiting).toMatchObject({ state: 'pending', reason: expect.stringContaining('follows sleeper (running)') });
    reconciler.runtime.exit({ sessionId: first.id, generation: 1, container: MAIN }, 0);
    expect(await ended(second.id)).toMatchObject({ result: 'success' });
  });

  test.each([
    ['failed', ['false']],
    ['was stopped', ['sleep']],
  ])('is cancelled when one %s, and so is what follows that', async (_, command) => {
    const first = await job(command);
    const second = await job(['true'], { dependencies: [first.id] });
    const third = await job(['true'], { dependencies: [second.id] });
    if (command[0] === 'sleep') await running(first.id).then(({ id }) => stop(id));
    expect(await ended(second.id)).toMatchObject({
      state: 'cancelled',
      result: null,
      reason: `it was to follow ${first.name}, which did not succeed`,
      cause: { code: 'dependency-failed' },
    });
    expect(await ended(third.id)).toMatchObject({ state: 'cancelled', reason: `it was to follow ${second.name}, which was cancelled` });
  });

  test('is cancelled at once when one has failed already', async () => {
    const first = await job(['false'], { name: 'gone-wrong' });
    await ended(first.id);
    expect(await ended((await job(['true'], { dependencies: ['gone-wrong'] })).id)).toMatchObject({ state: 'cancelled' });
  });

  test("cannot follow what is not there, a stranger's, itself, or what never succeeds", async () => {
    const strange = await job(['sleep'], {}, server.people.bob.client);
    const { id } = await alice().createSession({ body: { command: ['sleep'], name: 'endless' } });
    for (const dependency of [strange.id, strange.name, 'nobody', 'myself'])
      await expect(job(['true'], { name: 'myself', dependencies: [dependency] })).rejects.toMatchObject({
        code: 'invalid-field',
        field: 'dependencies',
      });
    await expect(job(['true'], { dependencies: ['endless'] })).rejects.toMatchObject({
      message: expect.stringContaining('"endless" is an interactive session'),
    });
    await stop(id);
    await stop(strange.id, server.people.bob.client);
  });
});

describe('a start time', () => {
  test('is waited for, with the reason', async () => {
    const { id, startsAt } = await job(['true'], { startsAt: '2hours 15min' });
    expect(Date.parse(startsAt ?? '')).toBeGreaterThan(Date.now() + 8_000_000);
    expect(await until(alice(), id, 'held', holdOf('starts-at'))).toMatchObject({
      state: 'pending',
      reason: `waiting: starts at ${startsAt}`,
    });
    await stop(id);
    expect(await ended(id)).toMatchObject({ state: 'cancelled', result: null });
  });

  test('that comes starts it; one that is past starts it at once', async () => {
    const soon = await job(['true'], { startsAt: 1 });
    const past = await job(['true'], { startsAt: '1999-01-01' });
    expect(await ended(past.id)).toMatchObject({ startsAt: '1999-01-01T00:00:00.000Z', result: 'success' });
    const done = await ended(soon.id);
    expect(Date.parse(done.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(soon.startsAt ?? ''));
  });
});

test('a command that runs longer than it may is ended, and timed out is its cause', async () => {
  const { id } = await job(['sleep'], { batchTimeout: '300ms' });
  expect(await ended(id)).toMatchObject({ state: 'error', result: 'failure', cause: { code: 'timed-out' } });
  expect((await job(['true'], { batchTimeout: 0 })).batchTimeoutMs).toBeNull();
  expect((await job(['true'], { batchTimeout: 'none' })).batchTimeoutMs).toBeNull();
});

test('an interrupted command is run again only where that was asked for', async () => {
  const [once, again] = [await job(['sleep']), await job(['sleep'], { retry: true })];
  await Promise.all([once, again].map(({ id }) => running(id)));
  reconciler.runtime.restartEngine();
  expect(await ended(once.id)).toMatchObject({ state: 'error', result: 'failure', cause: { code: 'engine-restarted' } });
  const restarted = await until(alice(), again.id, 'running again', ({ state, restarts }) => state === 'running' && restarts === 1);
  reconciler.runtime.exit({ sessionId: restarted.id, generation: 1, container: MAIN }, 0);
  expect(await ended(again.id)).toMatchObject({ result: 'success' });
});

test('24 at once under a limit of 8: never more than 8 at work, all end', async () => {
  const { client } = server.people.bob;
  const made = await Promise.all(Array.from({ length: 24 }, () => job(['sleep'], {}, client)));
  const left = new Set(made.map(({ id }) => id));
  let heldBack = 0;
  while (left.size > 0) {
    const live = (await client.listSessions({ query: { limit: 200 } })).items;
    const atWork = live.filter(({ state }) => state !== 'pending');
    expect(atWork.length).toBeLessThanOrEqual(8);
    heldBack += live.filter(holdOf('session-limit')).length;
    for (const { id } of atWork.filter(({ state }) => state === 'running')) {
      reconciler.runtime.exit({ sessionId: id, generation: 1, container: MAIN }, 0);
      expect(await ended(id, client)).toMatchObject({ result: 'success' });
      left.delete(id);
    }
  }
  expect(heldBack).toBeGreaterThan(0);
});

test.each<[CreateSessionInput, string]>([
  [{ startsAt: '5m' }, 'startsAt'],
  [{ batchTimeout: '5m' }, 'batchTimeout'],
  [{ retry: true }, 'retry'],
  [{ type: 'batch', command: ['true'], startsAt: 'soon' }, 'startsAt'],
  [{ type: 'batch', command: ['true'], batchTimeout: '5' }, 'batchTimeout'],
  [{ tag: 'x'.repeat(65) }, 'tag'],
])('%j is refused, naming the field', async (body, field) => {
  await expect(alice().createSession({ body })).rejects.toMatchObject({ code: 'invalid-field', field });
});

describe('renaming', () => {
  const rename = (session: string, name: string, client = alice()): Promise<Session> =>
    client.renameSession({ params: { session }, body: { name } });

  test('a live session is found by its new name; the old one is free', async () => {
    const { id } = await job(['sleep'], { name: 'old-name', tag: 'kept' });
    expect(await rename('old-name', 'new-name')).toMatchObject({ id, name: 'new-name', tag: 'kept' });
    expect(await running(id)).toMatchObject({ name: 'new-name' });
    expect((await show('new-name')).id).toBe(id);
    const other = await job(['sleep'], { name: 'old-name' });
    await expect(rename(other.id, 'new-name')).rejects.toMatchObject({ code: 'name-taken', field: 'name' });
    await stop(id);
    await ended(id);
    await expect(rename(id, 'too-late')).rejects.toMatchObject({ code: 'wrong-state' });
    expect(await rename(other.id, 'new-name')).toMatchObject({ name: 'new-name' });
    await stop(other.id);
  });

  test("is its owner's business, and has the grammar of names", async () => {
    const { id } = await job(['sleep'], { name: 'mine-alone' });
    await expect(rename(id, 'yours', server.people.bob.client)).rejects.toMatchObject({ code: 'not-found' });
    await expect(rename(id, 'not-mine', server.people.root.client)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(rename(id, 'No Name')).rejects.toMatchObject({ code: 'invalid-field', field: 'name' });
    await stop(id);
  });
});
