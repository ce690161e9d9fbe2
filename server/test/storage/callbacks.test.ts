import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CallbackClaim, ClaimWish } from '../../src/domain/deliveries/callback-store.ts';
import type { Session } from '../../src/domain/sessions/session.ts';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { after, GRANT, makeOwner, makeSession, newId, type Owner } from './make.ts';

let storage: TestStorage;
let owner: Owner;
beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());
beforeEach(async () => {
  await sql`update session_callbacks set done = true`.execute(storage.db);
  owner = await makeOwner(storage);
});

const LEASE = 60_000;
const make = (host = 'a.example', by = owner): Promise<Session> => makeSession(storage, by, { callbackUrl: `https://${host}/x?token=y` });
const claim = (more: Partial<ClaimWish> = {}): Promise<readonly CallbackClaim[]> =>
  storage.callbacks.claim({ sessionIds: null, limit: 100, leaseMs: LEASE, without: { targets: [], owners: [] }, ...more });
const ids = (claims: readonly CallbackClaim[]): string[] => claims.map(({ sessionId }) => sessionId);
const newest = async ({ id }: Session): Promise<string> =>
  (await storage.sessions.events({ ownerId: null, sessionId: id, after: null, limit: 500 })).at(-1)?.id ?? '';
const only = ([one]: readonly CallbackClaim[]): CallbackClaim => one ?? expect.fail('nothing was claimed');
const told = { outcome: { status: 204, problem: null }, over: false, leaseMs: LEASE };

test('a session with something to tell is claimed, with whom to tell and from where on', async () => {
  const session = await make();
  expect(await claim()).toEqual([
    {
      id: expect.any(String) as string,
      sessionId: session.id,
      ownerId: owner.id,
      url: 'https://a.example/x?token=y',
      target: 'a.example',
      after: '0-0',
    },
  ]);
});

test('of many who want it at once exactly one gets it', async () => {
  for (let round = 0; round < 25; round += 1) {
    const session = await make();
    const claims = await Promise.all(Array.from({ length: 10 }, () => claim()));
    expect(ids(claims.flat())).toEqual([session.id]);
    await storage.callbacks.note(only(claims.flat()), { ...told, upTo: await newest(session), over: true });
  }
});

test('whoever has it keeps it until the lease ends or it is given back', async () => {
  const session = await make();
  const held = only(await claim());
  expect(await claim()).toEqual([]);
  await storage.callbacks.giveBack(held);
  const lapsing = only(await claim({ leaseMs: -1 }));
  const next = only(await claim());
  expect([lapsing.sessionId, next.sessionId]).toEqual([session.id, session.id]);
  expect(await storage.callbacks.note(lapsing, { ...told, upTo: null })).toBe(false);
  await storage.callbacks.giveBack(lapsing);
  expect(await claim()).toEqual([]);
  expect(await storage.callbacks.note(next, { ...told, upTo: null })).toBe(true);
});

test('what was dealt with is not due; what was not told goes on from there', async () => {
  const session = await make();
  const first = only(await claim());
  const at = await newest(session);
  await storage.callbacks.note(first, { ...told, upTo: at });
  await storage.callbacks.giveBack(first);
  expect(await claim()).toEqual([]);
  const running = after(session, { state: 'running', grant: GRANT, generation: 1 });
  await storage.sessions.save(running, { kind: 'state', message: 'runs' }, null);
  expect(only(await claim()).after).toBe(at);
});

test("progress, notes and requests are nobody's business: they make nothing due", async () => {
  const session = await make();
  const first = only(await claim());
  await storage.callbacks.note(first, { ...told, outcome: null, upTo: await newest(session) });
  await storage.callbacks.giveBack(first);
  await storage.sessions.save(after(session), { kind: 'progress', message: 'layer 1 of 2' }, null);
  await storage.sessions.request(session.id, (now) => ({ ...now, name: 'renamed' }), 'renamed');
  expect(await claim()).toEqual([]);
  expect((await storage.sessions.get(session.id))?.callback).toMatchObject({ lastAt: null, failures: 0 });
});

test('what is over stays over, whatever is written later', async () => {
  const session = await make();
  const last = only(await claim());
  await storage.callbacks.note(last, { ...told, upTo: await newest(session), over: true });
  await storage.callbacks.note(last, { ...told, outcome: null, upTo: await newest(session) });
  await storage.callbacks.giveBack(last);
  await storage.sessions.save(after(session), { kind: 'state', message: 'again' }, null);
  expect(await claim()).toEqual([]);
});

test('one of each owner and of each target at a time, and none that have all they may have', async () => {
  const other = await makeOwner(storage);
  const mine = [await make('a.example'), await make('b.example')];
  const theirs = [await make('a.example', other), await make('c.example', other)];
  const first = ids(await claim());
  expect(first).toEqual([mine[0]?.id]);
  const second = ids(await claim({ without: { targets: ['a.example'], owners: [] } }));
  expect(new Set(second)).toEqual(new Set([mine[1]?.id, theirs[1]?.id]));
  expect(await claim({ without: { targets: [], owners: [other.id] } })).toEqual([]);
  expect(ids(await claim())).toEqual([theirs[0]?.id]);
});

test('among those that are asked for only; what is no id is none of them', async () => {
  const [one, another] = [await make(), await make()];
  expect(ids(await claim({ sessionIds: [newId(), 'no id', another.id] }))).toEqual([another.id]);
  expect(ids(await claim({ sessionIds: [one.id] }))).toEqual([one.id]);
});

test('how it went is kept with the session: the last answer, the last problem, and how many failed', async () => {
  const session = await make();
  const held = only(await claim());
  const note = (status: number | null, problem: string | null) =>
    storage.callbacks.note(held, { outcome: { status, problem }, upTo: null, over: false, leaseMs: LEASE });
  const callback = async () => (await storage.sessions.get(session.id))?.callback;
  expect(await callback()).toEqual({ url: held.url, lastStatus: null, lastProblem: null, lastAt: null, failures: 0 });
  await note(500, 'it answered 500');
  await note(null, 'nothing \0 listens');
  expect(await callback()).toMatchObject({ lastStatus: null, lastProblem: 'nothing \uFFFD listens', failures: 2 });
  await note(204, null);
  expect(await callback()).toMatchObject({ lastStatus: 204, lastProblem: null, failures: 2, lastAt: expect.any(String) });
});
