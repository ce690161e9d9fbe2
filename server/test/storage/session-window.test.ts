import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Session } from '../../src/domain/sessions/session.ts';
import type { SessionKind } from '../../src/domain/sessions/session-store.ts';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { after, GRANT, makeOwner, makeSession, type Owner } from './make.ts';

let storage: TestStorage;
let alice: Owner;
let made: Session[];
beforeAll(async () => {
  storage = await openTestStorage();
  alice = await makeOwner(storage);
  made = [];
  for (let count = 0; count < 4; count += 1) made.push(await makeSession(storage, alice));
  await makeSession(storage, await makeOwner(storage));
  const become = async (index: number, changes: Partial<Session>): Promise<void> => {
    const session = made[index];
    if (session === undefined) throw new Error('too few');
    await storage.sessions.save(after(session, { grant: GRANT, generation: 1, startedAt: new Date(), ...changes }), null, null);
  };
  await become(0, { state: 'running' });
  await become(1, { state: 'running' });
  await storage.sessions.request(made[1]?.id ?? '', (session) => ({ ...session, wanted: 'terminated' }), 'stop');
  await become(2, { state: 'running' });
  await storage.sessions.request(made[2]?.id ?? '', (session) => ({ ...session, wish: 2, restartWish: 2 }), 'restart');
});
afterAll(() => storage.close());

async function found(kinds: readonly SessionKind[] | null, part = { offset: 0, limit: 10, oldestFirst: true }): Promise<number[]> {
  const items = await storage.sessions.window({ ownerId: alice.id, projectId: null, kinds }, part);
  return items.map(({ id }) => made.findIndex((session) => session.id === id));
}

test.each<[string, readonly SessionKind[] | null, number[]]>([
  ['all of hers', null, [0, 1, 2, 3]],
  ['of no kind', [], []],
  ['in a state', [{ states: ['running'] }], [0, 1, 2]],
  ['whose end is wanted', [{ states: ['running', 'pending'], ending: true }], [1]],
  ['undisturbed', [{ states: ['running'], ending: false, restartAsked: false }], [0]],
  ['asked to restart', [{ states: ['running'], restartAsked: true }], [2]],
  ['of either kind', [{ states: ['pending'] }, { states: ['running'], ending: true }], [1, 3]],
])('those %s are found, and counted', async (_, kinds, indexes) => {
  expect(await found(kinds)).toEqual(indexes);
  expect(await storage.sessions.count({ ownerId: alice.id, projectId: null, kinds })).toBe(indexes.length);
});

test('a part of them, from either end', async () => {
  expect(await found(null, { offset: 1, limit: 2, oldestFirst: true })).toEqual([1, 2]);
  expect(await found(null, { offset: 1, limit: 2, oldestFirst: false })).toEqual([2, 1]);
  expect(await found(null, { offset: 9, limit: 2, oldestFirst: false })).toEqual([]);
});

test("everybody's, or those of a project", async () => {
  expect(await storage.sessions.count({ ownerId: null, projectId: null, kinds: null })).toBe(5);
  expect(await storage.sessions.count({ ownerId: null, projectId: alice.projectId, kinds: null })).toBe(4);
});
