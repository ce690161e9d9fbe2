import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FakeRuntime } from '../../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../../support/fake-reconciler.ts';
import { until } from '../../storage/make.ts';
import { BackendAiClient, keysFor } from './signing-client.ts';
import { Stage, TYPE } from './stage.ts';

let stage: Stage;
let reconciler: FakeReconciler;
let stream: BackendAiClient;
/** What a session's port is connected to: the fake engine's containers are on this machine. */
let service: Server;
let port: number;
let connections: Socket[];

beforeAll(async () => {
  const runtime = new FakeRuntime();
  stage = await Stage.open({ runtime });
  reconciler = await FakeReconciler.start(stage.server.storage, {}, runtime);
  stream = new BackendAiClient(stage.server.url, stage.keys.alice, 'stream');
  service = createServer((socket) => {
    connections.push(socket);
    socket.on('error', () => undefined);
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  ({ port } = service.address() as AddressInfo);
});
beforeEach(() => {
  connections = [];
});
afterAll(async () => {
  service.close();
  await reconciler.stop();
  await stage.close();
});

/** A session of Alice's that runs, with a declared port. */
async function running(body: object = {}): Promise<{ id: string; name: string }> {
  const made = await stage.made(body);
  await until(async () => (await stage.server.storage.sessions.get(made.id))?.state === 'running', `${made.name} runs`);
  return made;
}
async function withService(): Promise<string> {
  const { alice } = stage.server.people;
  const { id } = await alice.client.createSession({ body: { command: ['sleep', 'inf'], port } });
  await until(async () => (await stage.server.storage.sessions.get(id))?.state === 'running', 'it runs');
  connections = [];
  return id;
}
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const connected = (): Promise<Socket> => until(() => connections[0], 'the service has a connection');

describe('the terminal', () => {
  test.each(['/stream/session', '/stream/kernel'])('%s/:id/pty: what is typed arrives, what is printed comes back', async (root) => {
    const { id } = await running();
    const pty = await stream.socket(`${root}/${id}/pty?app=ignored`).open();
    pty.send({ type: 'resize', rows: 30, cols: 100 });
    pty.send({ type: 'ping' });
    pty.send({ type: 'stdin', chars: base64('héllo\n') });
    await pty.sees(() => pty.printed.includes('héllo'));
    expect(pty.headers).toMatchObject({ server: 'BackendAI', 'x-ratelimit-limit': '30000', 'x-ratelimit-window': '900' });
    pty.close();
  });
  test('of a session without one is a login shell beside its process, whose end does not end the session', async () => {
    const { id } = await running({ type: 'batch', startupCommand: 'sleep inf' });
    const pty = await stream.socket(`/stream/session/${id}/pty`).open();
    pty.send({ type: 'stdin', chars: base64('hello\n') });
    await pty.sees(() => pty.printed.includes('hello'));
    pty.close();
    await pty.closed;
    expect((await stage.server.storage.sessions.get(id))?.state).toBe('running');
  });
  test('restart restarts the session', async () => {
    const { id } = await running();
    const pty = await stream.socket(`/stream/session/${id}/pty`).open();
    pty.send({ type: 'restart' });
    await until(async () => (await stage.server.storage.sessions.get(id))?.restarts === 1, 'it was restarted');
    pty.send({ type: 'stdin', chars: base64('again\n') });
    await pty.sees(() => pty.printed.includes('again'));
    pty.close();
  });
  test('nonsense is answered in words, and ends it', async () => {
    const { id } = await running();
    const pty = await stream.socket(`/stream/session/${id}/pty`).open();
    pty.send('{"type":"stdin","chars":"not base64!"}');
    expect(await pty.closed).toBe(1008);
    expect(pty.messages.at(-1)).toEqual({ type: 'error', data: expect.stringContaining('base64') });
  });
  test('ends with its session', async () => {
    const { id } = await running();
    const pty = await stream.socket(`/stream/session/${id}/pty`).open();
    await stage.js.send('DELETE', `/session/${id}`);
    expect(await pty.closed).toBe(1000);
  });
});

describe('a connection to a service', () => {
  test.each(['tcpproxy', 'httpproxy'])('%s: bytes in both directions', async (kind) => {
    const id = await withService();
    const socket = await stream.socket(`/stream/session/${id}/${kind}?app=app`).open();
    const inside = await connected();
    const bytes = Buffer.from([0, 255, 10, 13, 0]);
    socket.send(bytes);
    expect((await once(inside, 'data'))[0]).toEqual(bytes);
    inside.write(bytes);
    await socket.sees(() => socket.bytes.equals(bytes));
    socket.close();
  });
  test('each side ends the other', async () => {
    const id = await withService();
    const first = await stream.socket(`/stream/session/${id}/tcpproxy?app=app`).open();
    (await connected()).end('bye');
    expect(await first.closed).toBe(1000);
    expect(first.bytes.toString()).toBe('bye');

    connections = [];
    const second = await stream.socket(`/stream/session/${id}/tcpproxy?app=app&port=${port}`).open();
    const inside = await connected();
    const ended = once(inside.resume(), 'close');
    second.send(Buffer.from('last words'));
    second.close();
    await ended;
    expect(inside.bytesRead).toBe('last words'.length);

    connections = [];
    const third = await stream.socket(`/stream/session/${id}/tcpproxy?app=app`).open();
    const other = await connected();
    const gone = once(other.resume(), 'close');
    third.vanish();
    await gone;
  });
  test('neither side is read faster than the other takes it', async () => {
    const id = await withService();
    const socket = await stream.socket(`/stream/session/${id}/tcpproxy?app=app`).open();
    const inside = await connected();
    const block = Buffer.alloc(1024 * 1024);
    socket.pause();
    for (let count = 0; count < 64; count += 1) inside.write(block);
    const taken = (): number => 64 * block.length - inside.writableLength;
    await until(async () => {
      const before = taken();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return before > 0 && taken() === before;
    }, 'nothing more is taken');
    expect(taken()).toBeLessThan(48 * block.length);
    socket.resume();
    await until(() => socket.received === 64 * block.length, 'everything came');
    socket.vanish();
  });
  test('ends with the session, with the key and with the server', async () => {
    const id = await withService();
    const hers = await keysFor(stage.server, stage.server.people.alice);
    const byKey = await new BackendAiClient(stage.server.url, hers, 'stream').socket(`/stream/session/${id}/tcpproxy?app=app`).open();
    await stage.server.storage.keypairs.revoke(null, hers.id, new Date());
    expect(await byKey.closed).toBe(1008);
    const bySession = await stream.socket(`/stream/session/${id}/tcpproxy?app=app`).open();
    await stage.js.send('DELETE', `/session/${id}`);
    expect(await bySession.closed).toBe(1000);
    await until(() => connections.every((one) => one.resume().readableEnded || one.destroyed), 'the service has none');
  });
  test('the services there are, and what is not there', async () => {
    const id = await withService();
    expect(JSON.parse((await stage.js.send('GET', `/stream/session/${id}/apps`)).text)).toEqual([
      { name: 'app', protocol: 'http', ports: [port] },
    ]);
    const { id: bare } = await running();
    expect(JSON.parse((await stage.js.send('GET', `/stream/session/${bare}/apps`)).text)).toEqual([]);
    const refused = (query: string) => stream.socket(`/stream/session/${id}/tcpproxy?${query}`).refused();
    expect(await refused('app=other')).toMatchObject({
      status: 404,
      body: { type: `${TYPE}object-not-found`, title: 'No such app service.' },
    });
    expect(await refused('app=app&port=1')).toMatchObject({ status: 400, body: { type: `${TYPE}invalid-api-params` } });
    expect(await refused('app=app&port=x')).toMatchObject({ status: 400 });
    expect(await refused('port=1')).toMatchObject({ status: 400 });
    expect(await refused(`app=app&envs=${encodeURIComponent('{"A":"1"}')}`)).toMatchObject({ status: 501 });
    expect(await refused(`app=app&envs=${encodeURIComponent('[]')}`)).toMatchObject({ status: 400 });
    const post = (path: string, body: object) => stage.js.send('POST', `/session/${id}/${path}`, { body });
    expect(await post('start-service', { app: 'app', envs: '{}' })).toMatchObject({
      status: 503,
      body: { msg: expect.stringContaining('tcpproxy') },
    });
    expect(await post('start-service', { service: 'other' })).toMatchObject({ status: 404 });
    expect(await post('shutdown-service', { service_name: 'app' })).toMatchObject({
      status: 501,
      body: { msg: expect.stringContaining('destroy') },
    });
  });
  test('a service that does not listen is told apart from one that is not there', async () => {
    const { alice } = stage.server.people;
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port: free } = closed.address() as AddressInfo;
    const { id } = await alice.client.createSession({ body: { command: ['sleep', 'inf'], port: free } });
    await until(async () => (await stage.server.storage.sessions.get(id))?.state === 'running', 'it runs');
    closed.close();
    await once(closed, 'close');
    const answer = await stream.socket(`/stream/session/${id}/tcpproxy?app=app`).refused();
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' }, body: { msg: expect.stringContaining(`port ${free}`) } });
  });
});

describe('who may', () => {
  test("somebody else's session is not there, and hers alone even for an administrator", async () => {
    const { id } = await running();
    const bob = new BackendAiClient(stage.server.url, stage.keys.bob, 'stream');
    expect(await bob.socket(`/stream/session/${id}/pty`).refused()).toMatchObject({ status: 404 });
    const query = `?owner_access_key=${stage.keys.alice.accessKey}`;
    expect(await bob.socket(`/stream/session/${id}/pty${query}`).refused()).toMatchObject({ status: 403 });
    const root = await keysFor(stage.server, stage.server.people.root);
    const admin = new BackendAiClient(stage.server.url, root, 'stream');
    expect(await admin.socket(`/stream/session/${id}/pty${query}`).refused()).toMatchObject({
      status: 403,
      body: { type: `${TYPE}generic-forbidden` },
    });
  });
  test.each<[string, () => Promise<{ status: number; headers: object }>, number]>([
    ['without a signature', () => stream.socket('/stream/session/x/pty', { headers: { authorization: '' } }).refused(), 400],
    ['with another target than was signed', () => stream.socket('/stream/session/x/pty', { url: '/stream/session/y/pty' }).refused(), 401],
    [
      'from a page of another origin',
      () => stream.socket('/stream/session/x/pty', { headers: { origin: 'http://evil.example' } }).refused(),
      403,
    ],
    ['to what is no session', () => stream.socket('/stream/session/nothing/pty').refused(), 404],
    ['to what is no WebSocket', () => stream.socket('/stream/session/x/apps').refused(), 404],
  ])('an upgrade %s is refused in their words', async (_, upgrade, status) => {
    const answer = await upgrade();
    expect(answer).toMatchObject({
      status,
      headers: { server: 'BackendAI', 'x-ratelimit-limit': expect.any(String), 'x-ratelimit-remaining': expect.any(String) },
      body: { type: expect.stringContaining(TYPE), title: expect.any(String), msg: expect.any(String) },
    });
    expect((answer.headers as Record<string, string>)['content-type']).toMatch(/^application\/problem\+json/);
  });
  test('a request that asks for no upgrade is told to', async () =>
    expect(await stage.js.send('GET', '/stream/session/x/pty')).toMatchObject({
      status: 400,
      body: { msg: expect.stringContaining('upgrade') },
    }));
  test('too many requests are refused here, too', async () => {
    const small = await Stage.open({ signedRequestsPerWindow: 1 });
    const client = new BackendAiClient(small.server.url, small.keys.alice, 'stream');
    await client.socket('/stream/session/x/pty').refused();
    const answer = await client.socket('/stream/session/x/pty').refused();
    expect(answer).toMatchObject({ status: 429, headers: { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '0' } });
    await small.close();
  });
  test('a server that stops closes them, and says to come again', async () => {
    const runtime = new FakeRuntime();
    const stopping = await Stage.open({ runtime });
    const engine = await FakeReconciler.start(stopping.server.storage, {}, runtime);
    const { id } = await stopping.made();
    const pty = await new BackendAiClient(stopping.server.url, stopping.keys.alice, 'stream').socket(`/stream/session/${id}/pty`).open();
    await stopping.server.close();
    expect(await pty.closed).toBe(1012);
    await engine.stop();
    await stopping.server.storage.close();
  });
});
