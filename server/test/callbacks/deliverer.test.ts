import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Deliverer, type DelivererParts } from '../../src/callbacks/deliverer.ts';
import { postCallback } from '../../src/callbacks/post-callback.ts';
import { hostResolver } from '../../src/callbacks/resolve-host.ts';
import { OutgoingRules } from '../../src/domain/network/outgoing-rules.ts';
import type { Ending, Session } from '../../src/domain/sessions/session.ts';
import { adoptForeignEvents } from '../../src/storage/session-events.ts';
import { after, GRANT, makeOwner, makeSession, SPEC, until, type Owner } from '../storage/make.ts';
import { FakeReconciler } from '../support/fake-reconciler.ts';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { Receiver } from './receiver.ts';

const rules = new OutgoingRules({ allow: ['127.0.0.0/8'] });
const resolve = hostResolver(rules);
const DAY = 86_400_000;

let storage: TestStorage;
let owner: Owner;
let to: Receiver;
let logged: string;
const running: Deliverer[] = [];
const receivers: Receiver[] = [];

beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());
beforeEach(async () => {
  owner = await makeOwner(storage);
  logged = '';
  to = await listen();
});
afterEach(async () => {
  for (const deliverer of running.splice(0)) await deliverer.stop();
  for (const receiver of receivers.splice(0)) await receiver.close();
  await sql`update session_callbacks set done = true`.execute(storage.db);
});

async function listen(host?: string): Promise<Receiver> {
  const receiver = await Receiver.listen(host);
  receivers.push(receiver);
  return receiver;
}
const post: DelivererParts['post'] = (request, stopping) => postCallback(request, { rules, resolve }, stopping);
/** Notes what it logs; begins to deliver. It never looks by itself, unless it is told to. */
function start(more: Partial<DelivererParts> = {}): Deliverer {
  const note = (fields: object, message: string): void => void (logged += `${JSON.stringify(fields)} ${message}\n`);
  const deliverer = new Deliverer({
    callbacks: storage.callbacks,
    sessions: storage.sessions,
    notifications: storage.notifications,
    post,
    keyOf: (userId) => `key of ${userId}`,
    agent: 'test',
    now: () => new Date(),
    log: { info: note, warn: note },
    sweepMs: DAY,
    ...more,
  });
  running.push(deliverer);
  deliverer.start();
  return deliverer;
}
/** Looks once and hears of nothing later, as one that is killed soon. */
const DOOMED: Partial<DelivererParts> = { notifications: { onEvent: () => () => undefined } };

const make = (receiver = to, by = owner): Promise<Session> => makeSession(storage, by, { callbackUrl: receiver.url });
async function become(session: Session, changes: Partial<Session>): Promise<Session> {
  const next = after(session, { grant: GRANT, generation: 1, startedAt: new Date(), ...changes });
  expect(await storage.sessions.save(next, { kind: 'state', message: next.state }, null)).toBe(true);
  return next;
}
async function end(session: Session): Promise<void> {
  const ending: Ending = { state: 'terminated', reason: 'finished', exitCode: 0, cause: null, finished: true };
  await become(session, { state: 'terminated', endedAt: new Date(), ending });
}
const LIFE = ['enqueued', 'scheduled', 'started', 'terminated'];
async function live(session: Session): Promise<void> {
  await end(await become(await become(session, { state: 'scheduled' }), { state: 'running' }));
}
const callbackOf = async ({ id }: Session) => (await storage.sessions.get(id))?.callback;

describe('who asked for it', () => {
  test('is told of each step, in order, signed; whoever did not ask is not', async () => {
    start();
    const [session, silent] = [await make(), await makeSession(storage, owner)];
    await live(session);
    await live(silent);
    await to.gets(session.id, LIFE);
    expect(to.of(session.id)).toEqual(LIFE);
    expect(to.of(silent.id)).toEqual([]);
    expect(await callbackOf(silent)).toBeNull();
    for (const { headers, body } of to.received) {
      const { t, v1 } = Object.fromEntries(
        String(headers['berth-signature'])
          .split(',')
          .map((part) => part.split('=')),
      );
      expect(v1).toBe(createHmac('sha256', `key of ${owner.id}`).update(`${t}.${body}`).digest('hex'));
    }
    expect(new Set(to.received.map(({ headers }) => headers['berth-delivery'])).size).toBe(LIFE.length);
    await until(async () => (await callbackOf(session))?.lastAt, 'the last one is written down');
    expect(await callbackOf(session)).toMatchObject({ url: to.url, lastStatus: 204, lastProblem: null, failures: 0 });
  });

  test('is told of a batch session that the reconciler takes through its life', async () => {
    const reconciler = await FakeReconciler.start(storage);
    start();
    const spec = { ...SPEC, command: ['sleep', '1000'] };
    const session = await makeSession(storage, owner, { type: 'batch', spec, callbackUrl: to.url });
    await until(async () => (await storage.sessions.get(session.id))?.state === 'running', 'it runs');
    reconciler.runtime.exit({ sessionId: session.id, generation: 1, container: 'main1' }, 3);
    await to.gets(session.id, ['enqueued', 'scheduled', 'preparing', 'started', 'failure', 'terminated']);
    expect(to.of(session.id)).toEqual(['enqueued', 'scheduled', 'preparing', 'started', 'failure', 'terminated']);
    await reconciler.stop();
  });

  test('is told the next thing only when the one before was answered, however slowly', async () => {
    start();
    let release = (): void => undefined;
    to.answer = (response) => void (release = () => response.writeHead(200).end());
    const session = await make();
    const living = live(session);
    await living;
    for (const [at] of LIFE.entries()) {
      await until(() => to.of(session.id).length === at + 1, `the one number ${at + 1}`);
      release();
    }
    expect([to.of(session.id), to.most]).toEqual([LIFE, 1]);
  });

  test('hears on after an answer that was bad; none is sent twice; the owner sees it, the log has no secret', async () => {
    start();
    to.answer = (response, { event }) => void response.writeHead(event === 'terminated' ? 200 : 500).end();
    const session = await make();
    await live(session);
    await to.gets(session.id, LIFE);
    expect(to.of(session.id)).toEqual(LIFE);
    await until(async () => (await callbackOf(session))?.lastStatus === 200, 'the last one is written down');
    expect(await callbackOf(session)).toMatchObject({ lastProblem: null, failures: 3 });
    expect(logged).toContain('a callback was not delivered');
    expect(logged).toContain('"target":"127.0.0.1"');
    for (const secret of ['secret-word', '/hook', 'key of']) expect(logged).not.toContain(secret);
  });

  test('is not told by way of an address that the operator does not allow', async () => {
    const closed = new OutgoingRules();
    start({ post: (request, stopping) => postCallback(request, { rules: closed, resolve }, stopping) });
    const session = await make();
    await until(async () => (await callbackOf(session))?.lastProblem?.includes('internal'), 'the refusal is written down');
    expect(await callbackOf(session)).toMatchObject({ lastStatus: null, failures: 1 });
    expect(to.received).toEqual([]);
  });

  test('is not told any more what is older than a day; the log says so', async () => {
    const session = await make();
    await live(session);
    start({ now: () => new Date(Date.now() + 2 * DAY) });
    await until(async () => (await callbackOf(session))?.failures === LIFE.length, 'all are dropped');
    expect((await callbackOf(session))?.lastProblem).toContain('more than a day');
    expect(to.received).toEqual([]);
    expect(logged).toContain('a callback was dropped');
  });
});

describe('a server', () => {
  test('that was killed between event and answer: the next one tells it again, with the same id, and goes on', async () => {
    const session = await make();
    let sent = 0;
    // It dies with the answer in its hands, before that is written down.
    const dying: DelivererParts['post'] = async (request, stopping) => {
      sent += (await post(request, stopping)).status === null ? 0 : 1;
      return new Promise((_, reject) => stopping.addEventListener('abort', () => reject(new Error('dead'))));
    };
    start({ ...DOOMED, post: dying, leaseMs: 200 });
    await until(() => sent === 1, 'the first one was sent');
    start({ sweepMs: 50 });
    await live(session);
    await to.gets(session.id, ['enqueued', ...LIFE]);
    expect(to.of(session.id)).toEqual(['enqueued', ...LIFE]);
    const [first, again] = to.received.map(({ headers }) => headers['berth-delivery']);
    expect(again).toBe(first);
  });

  test('that stops in the middle lets the next one tell it at once', async () => {
    to.answer = () => undefined;
    const first = start();
    const session = await make();
    await to.gets(session.id, ['enqueued']);
    await first.stop();
    to.answer = (response) => void response.writeHead(204).end();
    start();
    await to.gets(session.id, ['enqueued', 'enqueued']);
    expect(await callbackOf(session)).toMatchObject({ failures: 0 });
  });

  test('beside another: each thing is told once, by one of them, in order', async () => {
    start({ sweepMs: 20 });
    start({ sweepMs: 20 });
    const sessions = await Promise.all(Array.from({ length: 20 }, () => make()));
    await Promise.all(sessions.map((session) => live(session)));
    for (const { id } of sessions) await to.gets(id, LIFE);
    for (const { id } of sessions) expect(to.of(id)).toEqual(LIFE);
    expect(to.received).toHaveLength(sessions.length * LIFE.length);
  });

  test('that lost its claim to another tells nothing more', async () => {
    let release = (): void => undefined;
    to.answer = (response) => void (release = () => response.writeHead(204).end());
    const { callbacks } = storage;
    const noted: boolean[] = [];
    const note: typeof callbacks.note = async (...what) => {
      const isOurs = await callbacks.note(...what);
      noted.push(isOurs);
      return isOurs;
    };
    const session = await make();
    start({ ...DOOMED, callbacks: { claim: (wish) => callbacks.claim(wish), note, giveBack: (claim) => callbacks.giveBack(claim) } });
    await to.gets(session.id, ['enqueued']);
    await sql`update session_callbacks set claim = gen_random_uuid() where session_id = ${session.id}`.execute(storage.db);
    await live(session);
    release();
    await until(() => noted.length > 0, 'it wanted to write it down');
    expect([noted, to.of(session.id)]).toEqual([[false], ['enqueued']]);
    expect(await callbackOf(session)).toMatchObject({ lastAt: null });
  });

  test('asks one target a few times at once only, which holds up no other', async () => {
    const other = await listen('127.0.0.2');
    const waiting: (() => void)[] = [];
    to.answer = (response) => void waiting.push(() => response.writeHead(204).end());
    start();
    const many = await Promise.all(Array.from({ length: 12 }, async () => make(to, await makeOwner(storage))));
    await until(() => waiting.length === 4, 'as many as may ask');
    const quick = await make(other);
    await other.gets(quick.id, ['enqueued']);
    expect(to.received).toHaveLength(4);
    to.answer = (response) => void response.writeHead(204).end();
    for (const answer of waiting) answer();
    for (const { id } of many) await to.gets(id, ['enqueued']);
    expect([to.most, to.received.length]).toEqual([4, 12]);
  });

  test('asks a few times at once for one user only, which holds up no other', async () => {
    const targets = await Promise.all(Array.from({ length: 10 }, (_, n) => listen(`127.0.1.${n + 1}`)));
    const waiting: (() => void)[] = [];
    for (const target of targets) target.answer = (response) => void waiting.push(() => response.writeHead(204).end());
    start();
    const sessions = await Promise.all(targets.map((target) => make(target)));
    await until(() => waiting.length === 8, 'as many as she may have');
    const quick = await make(to, await makeOwner(storage));
    await to.gets(quick.id, ['enqueued']);
    expect(waiting).toHaveLength(8);
    for (const target of targets) target.answer = (response) => void response.writeHead(204).end();
    for (const answer of waiting) answer();
    for (const [at, { id }] of sessions.entries()) await targets[at]?.gets(id, ['enqueued']);
  });

  test('that could not reach the database goes on when it can', async () => {
    let broken = true;
    const { callbacks } = storage;
    const claim: typeof callbacks.claim = async (wish) => {
      if (broken) throw new Error('the database does not answer');
      return callbacks.claim(wish);
    };
    start({
      callbacks: { claim, note: (...note) => callbacks.note(...note), giveBack: (given) => callbacks.giveBack(given) },
      sweepMs: 20,
    });
    const session = await make();
    await until(() => logged.includes('trying again'), 'it is noticed');
    broken = false;
    await to.gets(session.id, ['enqueued']);
  });
});

test('after its events moved to another database server, what was told is not told again, and what comes is', async () => {
  const first = start();
  const session = await make();
  await to.gets(session.id, ['enqueued']);
  await until(async () => (await callbackOf(session))?.lastStatus === 204, 'it is written down');
  await first.stop();
  const ahead = sql`(xid::text::bigint + 1000000000)::text::xid8`;
  await sql`update session_events set xid = ${ahead}`.execute(storage.db);
  await sql`update session_callbacks set told_xid = (told_xid::text::bigint + 1000000000)::text::xid8 where told_id > 0`.execute(
    storage.db,
  );
  await adoptForeignEvents(storage.db);
  start();
  await live(session);
  await to.gets(session.id, LIFE);
  expect(to.of(session.id)).toEqual(LIFE);
});

test('a session that is told of never waits for it', async () => {
  to.answer = () => undefined;
  start();
  const session = await make();
  await to.gets(session.id, ['enqueued']);
  await live(session);
  expect(await storage.sessions.get(session.id)).toMatchObject({ state: 'terminated' });
});
