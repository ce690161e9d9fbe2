import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Session } from '../../src/domain/sessions/session.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { migrate, migrateTo } from '../../src/storage/migrate.ts';
import { createTestDatabase, openTestStorage, type TestStorage } from '../test-database.ts';
import { after, draft, GRANT, makeOwner, makeSession, newId, type Owner } from './make.ts';

let storage: TestStorage;
let owner: Owner;
beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());
beforeEach(async () => void (owner = await makeOwner(storage)));

const BATCH = { type: 'batch' } as const;
const finish = async (session: Session, changes: Partial<Session>): Promise<void> => {
  const running = after(session, { state: 'running', grant: GRANT, generation: 1 });
  await storage.sessions.save(running, null, null);
  await storage.sessions.save(after(running, { endedAt: new Date(), ...changes }), null, null);
};
const by = (exitCode: number) => ({ state: 'terminated', reason: 'finished', exitCode, cause: null, finished: true }) as const;

test('what a batch session was asked with comes back as it was asked', async () => {
  const asked = { tag: 'nightly', startsAt: new Date('2026-12-24T18:00:00Z'), batchTimeoutMs: 5_400_000, retry: true };
  const session = await makeSession(storage, owner, { ...BATCH, ...asked });
  expect(session).toMatchObject(asked);
  expect(await storage.sessions.get(session.id)).toEqual(session);
});

test('what a session follows is shown as it is now, oldest first, wherever the session is read', async () => {
  const [first, second] = [await makeSession(storage, owner, BATCH), await makeSession(storage, owner, BATCH)];
  const follower = await makeSession(storage, owner, { ...BATCH, dependencies: [second.id, first.id, second.id] });
  expect(follower.dependencies).toEqual(
    [first, second].map(({ id, name }) => ({ id, name, state: 'pending', result: null, endedAt: null })),
  );
  await finish(first, { state: 'terminated', ending: by(0) });
  await storage.sessions.request(second.id, (session) => ({ ...session, name: 'renamed' }), 'renamed');
  const expected = [
    { id: first.id, state: 'terminated', result: 'success', endedAt: expect.any(String) as string },
    { id: second.id, name: 'renamed', state: 'pending', result: null },
  ];
  const [listed] = (await storage.sessions.list({ ownerId: owner.id, projectId: null, states: null, all: false, limit: 1, cursor: null }))
    .items;
  const claimed = (await storage.sessions.claimDue(100, 1000)).find(({ id }) => id === follower.id);
  let placing: Session | undefined;
  await storage.sessions.place(({ pending }) => ((placing = pending.find(({ id }) => id === follower.id)), []), 1000);
  for (const read of [await storage.sessions.get(follower.id), listed, claimed, placing])
    expect(read).toMatchObject({ id: follower.id, dependencies: expected });
});

test('a session cannot follow one that is not there, nor itself', async () => {
  await expect(makeSession(storage, owner, { dependencies: [newId()] })).rejects.toThrow('foreign key');
  const id = newId();
  await expect(storage.sessions.create(draft(owner, { id, dependencies: [id] }))).rejects.toThrow('session_dependencies');
  expect(await storage.sessions.get(id)).toBeUndefined();
});

test('many that follow the same one can be made while it is looked at', async () => {
  const first = await makeSession(storage, owner, BATCH);
  const work = Array.from({ length: 30 }, (_, n) =>
    n % 3 === 0 ? storage.sessions.wake([first.id]) : makeSession(storage, owner, { ...BATCH, dependencies: [first.id] }),
  );
  await expect(Promise.all(work)).resolves.toHaveLength(30);
});

test('of many that want one name exactly one gets it, and the others are told', async () => {
  const sessions = await Promise.all(Array.from({ length: 10 }, () => makeSession(storage, owner)));
  const answers = await Promise.allSettled(
    sessions.map(({ id }) => storage.sessions.request(id, (session) => ({ ...session, name: 'wanted' }), 'renamed to wanted')),
  );
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const answer of answers) {
    if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'name-taken', field: 'name' });
  }
  const all = await Promise.all(sessions.map(({ id }) => storage.sessions.get(id)));
  expect(all.filter((session) => session?.name === 'wanted')).toHaveLength(1);
});

test('a rename under the hands of the reconciler is not lost', async () => {
  const session = await makeSession(storage, owner);
  await storage.sessions.request(session.id, (old) => ({ ...old, name: 'newer' }), 'renamed');
  expect(await storage.sessions.save(after(session, { reason: 'stale' }), null, null)).toBe(false);
  expect(await storage.sessions.get(session.id)).toMatchObject({ name: 'newer' });
});

test('batch sessions of the version before keep their result', async () => {
  const database = await createTestDatabase();
  const db = openDatabase({ connectionString: database.url }, () => undefined);
  try {
    await sql`drop schema public cascade; create schema public`.execute(db);
    await migrateTo(db, '0003-keypairs');
    const user = newId();
    await sql`insert into users (id, name, role) values (${user}, 'old', 'user')`.execute(db);
    const insert = async (type: string, state: string, reason: string): Promise<string> => {
      const id = newId();
      const ending = JSON.stringify({ state, reason, exitCode: 0, cause: null });
      await sql`
        insert into sessions (id, name, owner_id, project_id, type, spec, request_hash, revision, wanted, wish, restart_wish, state, state_since, reason,
          restart_served, generation, attempts, ending, frozen, logs_kept, timeline, restarts, last_log, created_at, ended_at)
        values (${id}, ${id}, ${user}, (select id from projects limit 1), ${type}, '{}', '', 1, 'running', 1, 0, ${state}, now(), ${reason},
          0, 1, 0, ${ending}, false, false, '[]', 0, '[]', now(), now())`.execute(db);
      return id;
    };
    await sql`insert into projects (name, personal_of) values ('old', ${user})`.execute(db);
    const ids = [
      await insert('batch', 'terminated', 'finished, exit 0'),
      await insert('batch', 'terminated', 'finished, exit 3'),
      await insert('batch', 'terminated', 'stopped by request'),
      await insert('batch', 'error', 'out of memory \u0001'),
      await insert('batch', 'cancelled', 'cancelled before it got a place'),
      await insert('interactive', 'terminated', 'finished, exit 0'),
    ];
    await migrate(db);
    const { rows } = await sql<{ id: string; result: string | null; finished: string | null }>`
      select id, result, ending->>'finished' as finished from sessions order by id`.execute(db);
    expect(rows.map(({ id }) => id)).toEqual(ids);
    expect(rows.map(({ result }) => result)).toEqual(['success', 'failure', 'failure', 'failure', null, null]);
    expect(rows.map(({ finished }) => finished)).toEqual(['true', 'true', null, null, null, null]);
  } finally {
    await db.destroy();
    await database.drop();
  }
});
