import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/storage/database.ts';
import { adoptForeignEvents } from '../../src/storage/session-events.ts';
import { createTestDatabase, openTestStorage, type TestStorage } from '../test-database.ts';
import { after, makeOwner, makeSession, until, type Owner } from './make.ts';

let storage: TestStorage;
let owner: Owner;
beforeAll(async () => {
  storage = await openTestStorage();
  owner = await makeOwner(storage);
});
afterAll(() => storage.close());

const read = (from: string | null, sessionId: string | null = null, limit = 1000) =>
  storage.sessions.events({ ownerId: null, sessionId, after: from, limit });

test('a reader that follows many writers misses nothing and sees nothing twice', async () => {
  const sessions = await Promise.all(Array.from({ length: 12 }, () => makeSession(storage, owner)));
  let from = await storage.sessions.latestEvent();
  const state = { writing: true };
  const writers = Promise.all(
    sessions.map(async (session, writer) => {
      let current = session;
      for (let n = 0; n < 40; n += 1) {
        const next = after(current);
        // Some write in transactions that stay open for a moment: their events are committed after later ones.
        if (writer % 3 === 0) await storage.sessions.request(current.id, (old) => ({ ...old, wish: old.wish + 1 }), `${writer}:${n}`);
        else await storage.sessions.save(next, { kind: 'progress', message: `${writer}:${n}` }, null);
        current = next;
      }
    }),
  ).finally(() => (state.writing = false));
  const seen: string[] = [];
  while (state.writing || (await read(from)).length > 0) {
    const events = await read(from, null, 7);
    seen.push(...events.map(({ message }) => message));
    from = events.at(-1)?.id ?? from;
  }
  await writers;
  expect(seen.toSorted()).toEqual(sessions.flatMap((_, writer) => Array.from({ length: 40 }, (_unused, n) => `${writer}:${n}`)).toSorted());
  sessions.forEach((_, writer) =>
    expect(seen.filter((message) => message.startsWith(`${writer}:`))).toEqual(
      Array.from({ length: 40 }, (_unused, n) => `${writer}:${n}`),
    ),
  );
});

test('an event committed late is not overtaken by one that was written after it', async () => {
  const [slow, quick] = [await makeSession(storage, owner), await makeSession(storage, owner)];
  const from = await storage.sessions.latestEvent();
  const other = openDatabase({ connectionString: storage.url }, () => undefined);
  let commit = (): void => undefined;
  const mayCommit = new Promise<void>((resolve) => (commit = resolve));
  let wrote = (): void => undefined;
  const written = new Promise<void>((resolve) => (wrote = resolve));
  const late = other.transaction().execute(async (transaction) => {
    await sql`insert into session_events (session_id, owner_id, kind, state, message) values (${slow.id}, ${owner.id}, 'notice', 'pending', 'late')`.execute(
      transaction,
    );
    wrote();
    await mayCommit;
  });
  await written;
  await storage.sessions.save(after(quick), { kind: 'progress', message: 'early' }, null);
  const reading = read(from);
  commit();
  await late;
  const first = await reading;
  const seen = [...first, ...(await read(first.at(-1)?.id ?? from))].map(({ message }) => message);
  expect(seen).toEqual(['late', 'early']);
  await other.destroy();
});

test("another database's open transaction holds nothing back", async () => {
  const neighbour = await createTestDatabase();
  const other = openDatabase({ connectionString: neighbour.url }, () => undefined);
  const session = await makeSession(storage, owner);
  await other.transaction().execute(async (transaction) => {
    await sql`update installation set created_at = now()`.execute(transaction);
    await storage.sessions.save(after(session), { kind: 'progress', message: 'seen at once' }, null);
    expect((await read(null, session.id)).map(({ message }) => message)).toEqual(['created', 'seen at once']);
    expect(await storage.sessions.latestEvent()).toBe((await read(null, session.id)).at(-1)?.id);
  });
  await other.destroy();
  await neighbour.drop();
});

test('listeners hear of events and wakes, by session', async () => {
  const session = await makeSession(storage, owner);
  const heard: string[] = [];
  const stop = storage.notifications.onEvent((id) => heard.push(id));
  await storage.sessions.save(after(session), { kind: 'progress', message: 'm' }, null);
  await until(() => heard.includes(session.id), 'the event is heard');
  stop();
});

test('after its connection was cut the listener wakes the loop and hears again', async () => {
  let wakes = 0;
  const stop = storage.notifications.onWake(() => (wakes += 1));
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'berth listener' and datname = current_database()`.execute(
    storage.db,
  );
  await until(() => wakes > 0, 'the wake after the reconnect');
  const before = wakes;
  await storage.sessions.wake([(await makeSession(storage, owner)).id]);
  await until(() => wakes > before, 'a wake that was sent');
  stop();
});

test.each(['', '1', 'a-b', '1-2-3', '-1-1', "1-1'", '9'.repeat(30)])('%j is refused as an event id', async (id) => {
  await expect(read(id)).rejects.toMatchObject({ code: 'invalid-field' });
});

test('events that came with a dump from a server whose count was ahead stay readable, in order, and before new ones', async () => {
  const session = await makeSession(storage, owner);
  await storage.sessions.save(after(session), { kind: 'progress', message: 'second' }, null);
  await sql`update session_events set xid = (xid::text::bigint + 1000000000)::text::xid8`.execute(storage.db);
  const total = await sql<{ count: string }>`select count(*) from session_events`.execute(storage.db);
  await adoptForeignEvents(storage.db);
  await storage.sessions.save(after(after(session)), { kind: 'progress', message: 'third' }, null);
  expect((await read(null, session.id)).map(({ message }) => message)).toEqual(['created', 'second', 'third']);
  expect(await read(null, null, 100_000)).toHaveLength(Number(total.rows[0]?.count) + 1);
});
