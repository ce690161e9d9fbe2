import { api, streams, type Endpoint, type Session, type StreamEndpoint } from '@berth/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ApiServer, type Person } from './api-server.ts';

/** What each of the three, and somebody without a token, is answered when she asks about alice's session. */
const RULES = {
  getSession: { alice: 200, bob: 404, root: 200 },
  terminateSession: { alice: 200, bob: 404, root: 200 },
  restartSession: { alice: 409, bob: 404, root: 403 },
  pauseSession: { alice: 409, bob: 404, root: 403 },
  resumeSession: { alice: 200, bob: 404, root: 403 },
  renameSession: { alice: 200, bob: 404, root: 403 },
  watchSession: { alice: 200, bob: 404, root: 200 },
  getSessionStatistics: { alice: 200, bob: 404, root: 200 },
  commitSession: { alice: 501, bob: 404, root: 403 },
  listFiles: { alice: 409, bob: 404, root: 403 },
  downloadFile: { alice: 409, bob: 404, root: 403 },
  uploadFile: { alice: 409, bob: 404, root: 403 },
  runInSession: { alice: 409, bob: 404, root: 403 },
  interruptSession: { alice: 409, bob: 404, root: 403 },
  completeInSession: { alice: 409, bob: 404, root: 403 },
  sessionLogs: { alice: 200, bob: 404, root: 403 },
  attachSession: { alice: 101, bob: 404, root: 403 },
  execSession: { alice: 409, bob: 404, root: 403 },
} as const;
/** What is not about one session. */
const GENERAL = {
  getMe: { alice: 200, root: 200 },
  getCallbackKey: { alice: 200, root: 200 },
  createSession: { alice: 201, root: 201 },
  listSessions: { alice: 200, root: 200 },
  listNodes: { alice: 200, root: 200 },
  createToken: { alice: 201, root: 201 },
  listTokens: { alice: 200, root: 200 },
  revokeToken: { alice: 404, root: 404 },
  createKeypair: { alice: 201, root: 201 },
  listKeypairs: { alice: 200, root: 200 },
  revokeKeypair: { alice: 404, root: 404 },
  createStorage: { alice: 201, root: 201 },
  listStorages: { alice: 200, root: 200 },
  getStorage: { alice: 404, root: 404 },
  deleteStorage: { alice: 404, root: 404 },
  createUser: { alice: 403, root: 201 },
  listUsers: { alice: 403, root: 200 },
  changeUser: { alice: 403, root: 404 },
  watchSessions: { alice: 200, root: 200 },
} as const;
const BODIES: Partial<Record<string, unknown>> = {
  createToken: { name: 'another' },
  createStorage: { name: 'data' },
  renameSession: { name: 'another-name' },
  commitSession: { image: 'kept' },
  createUser: { name: 'carol' },
  changeUser: { disabled: true },
  completeInSession: { line: 'x' },
};

const EVERY: Readonly<Partial<Record<string, Endpoint | StreamEndpoint>>> = { ...api, ...streams };

let server: ApiServer;
beforeAll(async () => {
  server = await ApiServer.start();
});
afterAll(() => server.dispose());

const pathOf = (endpoint: Endpoint | StreamEndpoint, session: string): string =>
  endpoint.path.replace(':session', session).replace(/:(token|user|keypair|storage)/, 'no-such-one') +
  (endpoint === streams.execSession ? '?command=' : endpoint === streams.uploadFile ? '?path=x' : '');

/** The status of the answer; the body is not waited for, since some never end. */
async function ask(name: string, session: string, as: Person | undefined): Promise<number> {
  const endpoint = EVERY[name];
  if (endpoint === undefined) throw new Error(`There is no endpoint ${name}.`);
  const path = pathOf(endpoint, session);
  if ('kind' in endpoint && endpoint.kind === 'websocket') return upgrade(path, as);
  const method = 'method' in endpoint ? endpoint.method : endpoint.kind === 'upload' ? 'PUT' : 'GET';
  const stop = new AbortController();
  const body =
    'body' in endpoint && endpoint.body !== undefined
      ? { body: JSON.stringify(BODIES[name] ?? {}), headers: { 'content-type': 'application/json' } }
      : {};
  const response = await server.fetch(path, { method, signal: stop.signal, ...body, ...(as === undefined ? {} : { as }) });
  stop.abort();
  return response.status;
}

function upgrade(path: string, as: Person | undefined): Promise<number> {
  const socket = new WebSocket(new URL(path, server.url), { headers: as === undefined ? {} : { authorization: `Bearer ${as.token}` } });
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      resolve(101);
      socket.terminate();
    });
    socket.once('unexpected-response', (_, response) => {
      resolve(response.statusCode ?? 0);
      socket.terminate();
    });
    socket.once('error', reject);
  });
}

const aliceSession = (): Promise<Session> => server.people.alice.client.createSession({ body: {} });

test('there is a rule for every request and stream', () => {
  const open = Object.entries(api)
    .filter(([, endpoint]) => 'open' in endpoint)
    .map(([name]) => name);
  expect([...Object.keys(RULES), ...Object.keys(GENERAL), ...open].toSorted()).toEqual(
    [...Object.keys(api), ...Object.keys(streams)].toSorted(),
  );
});

describe.each(Object.entries(RULES))('%s', (name, rule) => {
  test.each(Object.entries(rule))(`of alice's session, asked by %s, answers %i`, async (who, status) => {
    const session = await aliceSession();
    expect(await ask(name, session.id, server.people[who as 'alice'])).toBe(status);
  });

  test('of a session that is not there, asked by anybody, answers 404', async () => {
    for (const person of Object.values(server.people)) expect(await ask(name, 'no-such-session', person)).toBe(404);
  });
});

test.each(Object.entries(GENERAL).flatMap(([name, rule]) => Object.entries(rule).map(([who, status]) => [name, who, status] as const)))(
  '%s, asked by %s, answers %i',
  async (name, who, status) => {
    expect(await ask(name, '', server.people[who as 'alice'])).toBe(status);
  },
);

test.each([...Object.keys(RULES), ...Object.keys(GENERAL)])('%s without a token answers 401', async (name) => {
  const session = await aliceSession();
  expect(await ask(name, session.id, undefined)).toBe(401);
});

test('a user who is not alice hears of her session exactly what she hears of none', async () => {
  const session = await aliceSession();
  const { bob } = server.people;
  const [theirs, none] = await Promise.all(
    [session.id, crypto.randomUUID()].map(async (id) => {
      const {
        detail,
        requestId: _,
        ...rest
      } = (await (await server.fetch(`/api/sessions/${id}`, { as: bob })).json()) as Record<string, string>;
      return { ...rest, detail: detail?.replace(id, 'ID') };
    }),
  );
  expect(theirs).toEqual(none);
});

test("lists are one's own; everybody's only for an administrator", async () => {
  const { alice, bob, root } = server.people;
  const session = await aliceSession();
  const own = await bob.client.listSessions({ query: {} });
  expect(own.items).toEqual([]);
  await expect(bob.client.listSessions({ query: { owner: 'alice' } })).rejects.toMatchObject({ code: 'forbidden' });
  const ids = async (owner: string) => (await root.client.listSessions({ query: { owner, limit: 200 } })).items.map(({ id }) => id);
  expect(await ids('alice')).toContain(session.id);
  expect(await ids('*')).toContain(session.id);
  expect((await alice.client.listSessions({ query: { limit: 200 } })).items.map(({ id }) => id)).toContain(session.id);
});

test("an administrator's look at somebody else's session is written down", async () => {
  const session = await aliceSession();
  await server.people.root.client.getSession({ params: { session: session.id } });
  expect(server.logged()).toMatch(new RegExp(`"audit":"session.look","actor":"root".*"subject":"${session.id}"`));
});
