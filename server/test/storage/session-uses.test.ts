import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { after, makeOwner, makeSession, newId } from './make.ts';

let storage: TestStorage;
beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());

const AT = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-01-01T00:00:01Z');

test('uses add up, the latest execution stays, and nobody who decides about the session is disturbed', async () => {
  const session = await makeSession(storage, await makeOwner(storage));
  expect(session).toMatchObject({ uses: 0, executedAt: null });
  await storage.uses.noteUses([{ sessionId: session.id, count: 3, executedAt: LATER }]);
  await storage.uses.noteUses([
    { sessionId: session.id, count: 4, executedAt: AT },
    { sessionId: newId(), count: 1, executedAt: null },
  ]);
  await storage.uses.noteUses([]);
  expect(await storage.sessions.get(session.id)).toMatchObject({ uses: 7, executedAt: LATER, revision: session.revision });
  const next = after(session, { state: 'cancelled', endedAt: new Date() });
  expect(await storage.sessions.save(next, { kind: 'state', message: 'cancelled' }, null)).toBe(true);
  expect(await storage.sessions.get(session.id)).toMatchObject({ state: 'cancelled', uses: 7 });
});

test('many servers that write about the same sessions wait for each other, not for ever', async () => {
  const owner = await makeOwner(storage);
  const sessions = await Promise.all(Array.from({ length: 20 }, () => makeSession(storage, owner)));
  const uses = sessions.map(({ id }) => ({ sessionId: id, count: 1, executedAt: null }));
  await Promise.all(Array.from({ length: 10 }, (_, turn) => storage.uses.noteUses(turn % 2 === 0 ? uses : uses.toReversed())));
  for (const { id } of sessions) expect(await storage.sessions.get(id)).toMatchObject({ uses: 10 });
});
