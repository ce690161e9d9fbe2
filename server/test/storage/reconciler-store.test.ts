import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/storage/database.ts';
import { PostgresSessionStore } from '../../src/storage/session-store.ts';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { after, GRANT, makeOwner, makeSession, newId, until, type Owner } from './make.ts';

let storage: TestStorage;
let owner: Owner;
beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());
beforeEach(async () => {
  owner = await makeOwner(storage);
  for (const { id } of await storage.sessions.live()) {
    const session = await storage.sessions.get(id);
    if (session !== undefined) await storage.sessions.save(after(session, { state: 'cancelled' }), null, null);
  }
});

describe('save', () => {
  test('of many writers of one revision exactly one succeeds, with exactly one event', async () => {
    const session = await makeSession(storage, owner);
    const saved = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        storage.sessions.save(after(session, { reason: `writer ${n}` }), { kind: 'progress', message: `writer ${n}` }, 0),
      ),
    );
    expect(saved.filter(Boolean)).toHaveLength(1);
    const events = await storage.sessions.events({ ownerId: null, sessionId: session.id, after: null, limit: 100 });
    expect(events.map(({ message }) => message)).toEqual(['created', `writer ${saved.indexOf(true)}`]);
  });

  test('everything that may change comes back as it was written', async () => {
    const session = await makeSession(storage, owner);
    const next = after(session, {
      wanted: 'paused',
      wish: 3,
      restartWish: 2,
      state: 'paused',
      stateSince: new Date(1),
      reason: 'r',
      restartServed: 1,
      generation: 2,
      attempts: 3,
      grant: { node: 'n', cpus: 0.5, memoryBytes: 7, devices: ['d0'] },
      imageDigest: 'sha256:x',
      processStartedAt: new Date(2),
      frozen: true,
      willStopAt: new Date(3),
      ending: { state: 'error', reason: 'e', exitCode: 137, cause: { code: 'out-of-memory', message: 'm', remedy: 'r' } },
      logsKept: true,
      waiting: { position: 1, of: 2, reasons: [{ node: 'n', reason: 'why' }] },
      timeline: [{ step: 'image', startedAt: 'a', endedAt: null, detail: 'd' }],
      restarts: 4,
      lastLog: ['x'],
      startedAt: new Date(4),
    });
    await storage.sessions.save(next, null, null);
    expect(await storage.sessions.get(session.id)).toEqual(next);
  });

  test('a session that has ended is never due again, whatever asks for a look', async () => {
    const session = await makeSession(storage, owner);
    await storage.sessions.wake([session.id]);
    await storage.sessions.save(after(session, { state: 'error', endedAt: new Date() }), { kind: 'state', message: 'failed' }, 0);
    await storage.sessions.wake([session.id]);
    await storage.sessions.lookAgain(session.id, session.revision + 1, 0);
    expect(await storage.sessions.claimDue(10, 1000)).toEqual([]);
  });

  test('states that cannot be are refused by the database', async () => {
    const session = await makeSession(storage, owner);
    const write = (changes: object) => storage.sessions.save({ ...after(session), ...changes }, null, null);
    await expect(write({ wanted: 'nonsense' })).rejects.toThrow('sessions_wanted_check');
    await expect(write({ state: 'running', grant: null })).rejects.toThrow('sessions_placed');
    await expect(write({ restartWish: 9 })).rejects.toThrow('sessions_restarts');
    expect(await storage.sessions.get(session.id)).toEqual(session);
  });
});

describe('looking', () => {
  test('of many claimers no two get the same session, and all are handed out', async () => {
    const made = new Set<string>();
    for (let n = 0; n < 60; n += 1) made.add((await makeSession(storage, owner)).id);
    const other = openDatabase({ connectionString: storage.url }, () => undefined);
    const stores = [storage.sessions, new PostgresSessionStore(other)];
    const claimed = (await Promise.all(Array.from({ length: 24 }, (_, n) => (stores[n % 2] ?? storage.sessions).claimDue(5, 60_000))))
      .flat()
      .map(({ id }) => id);
    await other.destroy();
    claimed.push(...(await storage.sessions.claimDue(100, 60_000)).map(({ id }) => id));
    expect(claimed.toSorted()).toEqual([...made].toSorted());
  });

  test("a dead server's claims come back when their lease is over", async () => {
    const { id } = await makeSession(storage, owner);
    expect(await storage.sessions.claimDue(10, 100)).toHaveLength(1);
    const again = await until(async () => (await storage.sessions.claimDue(10, 60_000))[0], 'the claim comes back');
    expect(again.id).toBe(id);
  });

  test('a wake between a claim and its answer is not lost', async () => {
    const session = await makeSession(storage, owner);
    const claimed = async () => (await storage.sessions.claimDue(10, 60_000)).map(({ id }) => id);
    await claimed();
    await storage.sessions.wake([session.id]);
    await storage.sessions.lookAgain(session.id, session.revision, null);
    expect(await claimed()).toEqual([session.id]);
    await storage.sessions.wake([session.id]);
    await storage.sessions.save(after(session), null, 60_000);
    expect(await claimed()).toEqual([session.id]);
    await storage.sessions.lookAgain(session.id, session.revision + 1, null);
    expect(await claimed()).toEqual([]);
  });

  test('an answer about an old revision does not take a look away', async () => {
    const session = await makeSession(storage, owner);
    await storage.sessions.claimDue(10, 60_000);
    await storage.sessions.request(session.id, (old) => ({ ...old, wish: 2 }), 'asked');
    await storage.sessions.lookAgain(session.id, session.revision, null);
    expect(await storage.sessions.claimDue(10, 60_000)).toHaveLength(1);
  });

  test('waking many sessions from many sides never deadlocks, and unknown ids are ignored', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await makeSession(storage, owner)).id));
    const shuffled = (): string[] =>
      ids
        .map((id) => ({ id, at: Math.random() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ id }) => id);
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        n % 4 === 0 ? storage.sessions.wakePending() : storage.sessions.wake([...shuffled(), newId(), 'no id']),
      ),
    );
    expect((await storage.sessions.claimDue(100, 1000)).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  });
});

const LEASE_MS = 30_000;

describe('place', () => {
  test('is decided by one at a time, each seeing what the one before wrote', async () => {
    for (let n = 0; n < 8; n += 1) await makeSession(storage, owner);
    let inside = 0;
    const placed = await Promise.all(
      Array.from({ length: 8 }, () =>
        storage.sessions.place(({ pending, holding }) => {
          inside += 1;
          expect(inside).toBe(1);
          expect(pending.length + holding.length).toBe(8);
          const [oldest] = pending;
          inside -= 1;
          return oldest === undefined ? [] : [after(oldest, { state: 'scheduled', grant: GRANT, reason: 'placed on n1' })];
        }, LEASE_MS),
      ),
    );
    expect(new Set(placed.flat().map(({ id }) => id)).size).toBe(8);
    expect(await storage.sessions.holding()).toHaveLength(8);
  });

  test('the oldest comes first; one that changed meanwhile is left as it is', async () => {
    const [first, second] = [await makeSession(storage, owner), await makeSession(storage, owner)];
    const answered = await storage.sessions.place(({ pending }) => {
      expect(pending.map(({ id }) => id)).toEqual([first.id, second.id]);
      return pending.map((session) => ({
        ...after(session, { state: 'scheduled', grant: GRANT }),
        ...(session.id === first.id && { revision: 99 }),
      }));
    }, LEASE_MS);
    expect(answered.map(({ id }) => id)).toEqual([second.id]);
    expect(await storage.sessions.get(first.id)).toEqual(first);
  });

  test('when deciding throws nothing is written and the next one may', async () => {
    const session = await makeSession(storage, owner);
    await expect(
      storage.sessions.place(() => {
        throw new Error('no');
      }, LEASE_MS),
    ).rejects.toThrow('no');
    expect(
      await storage.sessions.place(({ pending }) => pending.map((one) => after(one, { state: 'scheduled', grant: GRANT })), LEASE_MS),
    ).toMatchObject([{ id: session.id }]);
  });

  test('frozen sessions hold what they have, stopped ones nothing', async () => {
    const save = async (changes: object) => {
      const session = await makeSession(storage, owner);
      await storage.sessions.save(after(session, { grant: GRANT, ...changes }), null, null);
      return session.id;
    };
    const frozen = await save({ state: 'paused', frozen: true });
    await save({ state: 'paused', frozen: false });
    const thawing = await save({ state: 'pending', frozen: true });
    expect((await storage.sessions.holding()).map(({ id }) => id)).toEqual([frozen, thawing]);
  });
});

test('reasons for waiting are written where they changed, once, and leave the revision alone', async () => {
  const session = await makeSession(storage, owner);
  const waiting = new Map([
    [session.id, { position: 1, of: 1, reasons: [{ node: 'n1', reason: 'needs 2 CPUs, 1 free of 2' }] }],
    [newId(), { position: 2, of: 2, reasons: [] }],
  ]);
  await storage.sessions.explain(waiting);
  await storage.sessions.explain(waiting);
  expect(await storage.sessions.get(session.id)).toMatchObject({
    revision: 1,
    waiting: waiting.get(session.id),
    reason: expect.stringContaining('needs 2 CPUs, 1 free of 2 on n1'),
  });
  const events = await storage.sessions.events({ ownerId: null, sessionId: session.id, after: null, limit: 10 });
  expect(events.map(({ kind }) => kind)).toEqual(['created', 'waiting']);
});

test('known says which of these ids there are, and in what state', async () => {
  const session = await makeSession(storage, owner);
  expect(await storage.sessions.known([session.id, newId(), 'garbage'])).toEqual(
    new Map([[session.id, { state: 'pending', generation: 0 }]]),
  );
});
