import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeCursor } from '../../src/storage/cursor.ts';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { after, draft, GRANT, makeOwner, makeSession, newId, SPEC, type Owner } from './make.ts';

let storage: TestStorage;
let owner: Owner;
beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());
beforeEach(async () => void (owner = await makeOwner(storage)));

const end = async (id: string): Promise<void> => {
  const session = await storage.sessions.get(id);
  if (session === undefined) throw new Error(`${id} is unknown`);
  await storage.sessions.save(after(session, { state: 'cancelled', endedAt: new Date() }), { kind: 'state', message: 'cancelled' }, null);
};

describe('create', () => {
  test('50 at once with one client token make one session, and all hear of it', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => storage.sessions.create(draft(owner, { name: 'same', clientToken: 't' }))),
    );
    expect(new Set(answers.map(({ session }) => session.id)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(
      (await storage.sessions.list({ ownerId: owner.id, projectId: null, states: null, all: true, limit: 10, cursor: null })).items,
    ).toHaveLength(1);
  });

  test('a repeated create answers the session even after it has ended', async () => {
    const { session } = await storage.sessions.create(draft(owner, { clientToken: 't' }));
    await end(session.id);
    const again = await storage.sessions.create(draft(owner, { clientToken: 't' }));
    expect(again).toMatchObject({ created: false, session: { id: session.id, state: 'cancelled' } });
  });

  test('a client token with another request is refused, naming the session it made', async () => {
    const { session } = await storage.sessions.create(draft(owner, { clientToken: 't' }));
    await expect(storage.sessions.create(draft(owner, { clientToken: 't', requestHash: 'other' }))).rejects.toMatchObject({
      code: 'token-reused',
      message: expect.stringContaining(session.id),
    });
  });

  test('a name is free again once its session has ended, and free for others all along', async () => {
    const first = await makeSession(storage, owner, { name: 'train' });
    await expect(storage.sessions.create(draft(owner, { name: 'train' }))).rejects.toMatchObject({ code: 'name-taken', field: 'name' });
    await expect(makeSession(storage, await makeOwner(storage), { name: 'train' })).resolves.toBeDefined();
    await end(first.id);
    await expect(makeSession(storage, owner, { name: 'train' })).resolves.toMatchObject({ name: 'train', revision: 1, state: 'pending' });
  });

  test('what is stored is what was asked, and it is due at once', async () => {
    const session = await makeSession(storage, owner);
    expect(await storage.sessions.get(session.id)).toEqual(session);
    expect(session).toMatchObject({ wanted: 'running', wish: 1, generation: 0, timeline: [{ step: 'queue', endedAt: null }] });
    expect((await storage.sessions.claimDue(200, 1000)).map(({ id }) => id)).toContain(session.id);
  });
});

describe('find', () => {
  test('by id, by name with a live one first, by unique beginning of an id', async () => {
    const old = await makeSession(storage, owner, { name: 'find-me' });
    await end(old.id);
    expect(await storage.sessions.find(owner.id, 'find-me')).toMatchObject({ id: old.id });
    const live = await makeSession(storage, owner, { name: 'find-me' });
    const later = await makeSession(storage, owner, { name: 'find-me-not' });
    await end(later.id);
    expect(await storage.sessions.find(owner.id, 'find-me')).toMatchObject({ id: live.id });
    expect(await storage.sessions.find(owner.id, old.id)).toMatchObject({ id: old.id });
    expect(await storage.sessions.find(owner.id, old.id.slice(0, 20))).toMatchObject({ id: old.id });
    expect(await storage.sessions.find(owner.id, old.id.replaceAll('-', '').slice(0, 20).toUpperCase())).toMatchObject({ id: old.id });
    expect(await storage.sessions.find(owner.id, old.id.slice(0, 5))).toBe('ambiguous');
  });

  test.each(['', 'abc', '%', '____', "x'; drop table sessions --", '\0', '00000000', 'zzzz', '1-23'])(
    '%j finds nothing and breaks nothing',
    async (text) => {
      await makeSession(storage, owner);
      expect(await storage.sessions.find(owner.id, text.replaceAll('\0', '?'))).toBeUndefined();
    },
  );

  test("another owner's is not found; for nobody in particular, two live ones of a name are ambiguous", async () => {
    const other = await makeOwner(storage);
    const mine = await makeSession(storage, owner, { name: 'both-have' });
    expect(await storage.sessions.find(other.id, mine.id)).toBeUndefined();
    expect(await storage.sessions.find(other.id, 'both-have')).toBeUndefined();
    await makeSession(storage, other, { name: 'both-have' });
    expect(await storage.sessions.find(null, 'both-have')).toBe('ambiguous');
  });
});

describe('list', () => {
  test('pages hold every session once, newest first, also while new ones come', async () => {
    const made = [];
    for (let n = 0; n < 7; n += 1) made.push((await makeSession(storage, owner)).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof storage.sessions.list>> = await storage.sessions.list({
        ownerId: owner.id,
        projectId: null,
        states: null,
        all: false,
        limit: 3,
        cursor,
      });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
      await makeSession(storage, owner);
    } while (cursor !== null);
    expect(seen).toEqual(made.toReversed());
  });

  test('filters by state, project and whether it has ended', async () => {
    const [a, b] = [await makeSession(storage, owner), await makeSession(storage, owner)];
    await end(a.id);
    const list = async (filter: { states?: ('cancelled' | 'pending')[]; all?: boolean; projectId?: string }) =>
      (
        await storage.sessions.list({
          ownerId: owner.id,
          projectId: filter.projectId ?? null,
          states: filter.states ?? null,
          all: filter.all ?? false,
          limit: 10,
          cursor: null,
        })
      ).items.map(({ id }) => id);
    expect(await list({})).toEqual([b.id]);
    expect(await list({ all: true })).toEqual([b.id, a.id]);
    expect(await list({ states: ['cancelled'] })).toEqual([a.id]);
    expect(await list({ all: true, projectId: owner.projectId })).toHaveLength(2);
    expect(await list({ all: true, projectId: newId() })).toEqual([]);
  });

  test.each(['x', '!!', encodeCursor('nonsense'), encodeCursor("' or true --"), `${encodeCursor(newId())}=`])(
    'the cursor %j is refused',
    async (cursor) => {
      await expect(
        storage.sessions.list({ ownerId: null, projectId: null, states: null, all: false, limit: 3, cursor }),
      ).rejects.toMatchObject({ code: 'invalid-field', field: 'cursor' });
    },
  );
});

describe('request', () => {
  test('20 at once are all applied, one after the other', async () => {
    const { id } = await makeSession(storage, owner);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => storage.sessions.request(id, (session) => ({ ...session, wish: session.wish + 1 }), 'asked')),
    );
    expect(new Set(answers.map(({ wish }) => wish)).size).toBe(20);
    expect(await storage.sessions.get(id)).toMatchObject({ wish: 21, revision: 21 });
    expect(
      (await storage.sessions.events({ ownerId: null, sessionId: id, after: null, limit: 100 })).filter(({ kind }) => kind === 'requested'),
    ).toHaveLength(20);
  });

  test('one that throws, and one that changes nothing, write nothing', async () => {
    const session = await makeSession(storage, owner);
    await expect(
      storage.sessions.request(
        session.id,
        () => {
          throw new Error('no');
        },
        'asked',
      ),
    ).rejects.toThrow('no');
    expect(await storage.sessions.request(session.id, (same) => same, 'asked')).toEqual(session);
    expect(await storage.sessions.get(session.id)).toEqual(session);
    await expect(storage.sessions.request(newId(), (same) => same, 'asked')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('it makes the session due and wakes the loop, also one that is leased', async () => {
    const { id } = await makeSession(storage, owner);
    await storage.sessions.claimDue(100, 60_000);
    const woken = new Promise<void>((resolve) => storage.notifications.onWake(resolve));
    await storage.sessions.request(id, (session) => ({ ...session, wish: 2 }), 'asked');
    await woken;
    expect((await storage.sessions.claimDue(100, 60_000)).map((session) => session.id)).toContain(id);
  });
});

test('a kept log comes back byte for byte, and keeping it again replaces it', async () => {
  const { id } = await makeSession(storage, owner);
  const main = { sessionId: id, container: 'main1' };
  expect(await storage.sessions.logs(main)).toEqual([]);
  const log = Buffer.from([0, 1, 255, 10, 0]);
  await storage.sessions.keepLog({ ...main, generation: 1 }, Buffer.from('first'));
  await storage.sessions.keepLog({ ...main, generation: 1 }, log);
  expect(await storage.sessions.logs(main)).toEqual([log]);
  await storage.sessions.keepLog({ ...main, generation: 2 }, Buffer.from('second generation'));
  expect(await storage.sessions.logs(main)).toEqual([log, Buffer.from('second generation')]);
  expect(await storage.sessions.logs(main, 2)).toEqual([log]);
});

test('each container of a session has a log of its own', async () => {
  const { id } = await makeSession(storage, owner, { spec: { ...SPEC, cluster: { size: 2, mode: 'single-node' } } });
  for (const container of ['main1', 'sub1'])
    await storage.sessions.keepLog({ sessionId: id, generation: 1, container }, Buffer.from(container));
  expect(await storage.sessions.logs({ sessionId: id, container: 'sub1' })).toEqual([Buffer.from('sub1')]);
  expect(await storage.sessions.logs({ sessionId: id, container: 'sub2' })).toEqual([]);
});

test('what was seen of the containers beside main1 comes back, and with it the sweep knows what to expect', async () => {
  const cluster = { size: 3, mode: 'multi-node' } as const;
  const session = await makeSession(storage, owner, { spec: { ...SPEC, cluster } });
  expect(session.subs).toEqual([]);
  const subs = [{ name: 'sub1', state: 'ended', startedAt: '2026-01-01T00:00:00.000Z', exitCode: 137, reason: 'ended, exit 137' }] as const;
  expect(await storage.sessions.save(after(session, { subs }), null, null)).toBe(true);
  expect((await storage.sessions.get(session.id))?.subs).toEqual(subs);
  expect((await storage.sessions.live()).find(({ id }) => id === session.id)).toMatchObject({ cluster, subs });
});

test('what programs print, NUL and half characters included, can be kept', async () => {
  const session = await makeSession(storage, owner);
  const next = after(session, { state: 'scheduled', grant: GRANT, reason: 'a\0b', lastLog: ['\0', '\ud800', '\u001b[0m'] });
  expect(await storage.sessions.save(next, { kind: 'state', message: 'a\0b' }, null)).toBe(true);
  expect(await storage.sessions.get(session.id)).toMatchObject({ reason: 'a\uFFFDb', lastLog: ['\0', '\ud800', '\u001b[0m'] });
});
