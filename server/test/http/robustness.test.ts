import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DatabaseUnavailable } from '../../src/domain/database-unavailable.ts';
import { ApiServer } from './api-server.ts';
import { AttachClient } from './attach-client.ts';
import { Wire } from './fuzz/wire.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await ApiServer.start();
});
afterAll(() => server.dispose());

const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

/** Sends an upgrade request as bytes and answers what came back, once the server has closed. */
async function upgrade(path: string, headers: Record<string, string>): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const lines = Object.entries({
    host: `${hostname}:${port}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString()));
  await once(socket, 'close');
  return answer;
}

test('thousands of refused upgrades leave no connection behind', async () => {
  await upgrade('/api/sessions/x/attach', {});
  const before = await openFiles();
  for (let round = 0; round < 20; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => upgrade('/api/sessions/x/attach', n % 2 ? {} : { authorization: 'Bearer nonsense' })),
    );
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 401 /);
  }
  await expect.poll(openFiles).toBeLessThanOrEqual(before + 5);
});

test('an upgrade is refused as any request is: by origin, host, token and path, in the same words', async () => {
  const authorization = `Bearer ${server.people.alice.token}`;
  const evil = await upgrade('/api/sessions/x/attach', { authorization, origin: 'https://evil.example' });
  expect(evil).toMatch(/^HTTP\/1.1 403 [\s\S]*application\/problem\+json[\s\S]*evil\.example/);
  expect(await upgrade('/api/sessions/x/attach', { authorization, host: 'evil.example' })).toMatch(/^HTTP\/1.1 403 /);
  expect(await upgrade('/api/nothing', { authorization })).toMatch(/^HTTP\/1.1 404 /);
  expect(await upgrade('/api/sessions/x/exec?command=notjson', { authorization })).toMatch(/^HTTP\/1.1 400 [\s\S]*JSON array/);
  expect(await upgrade('/api/sessions/x/attach?rows=-1', { authorization })).toMatch(/^HTTP\/1.1 400 [\s\S]*rows/);
});

test('a request that asks for another protocol is answered as an ordinary one', async () => {
  const answer = await upgrade('/api/version', { upgrade: 'h2c', connection: 'Upgrade, close' });
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
});

test.each([
  ['too long', `/api/${'x'.repeat(20_000)}`],
  ['malformed', '/api/version HTTP/7.7 nonsense'],
])('after a request that asks for another protocol, one that is %s is not met with silence', async (_, target) => {
  const wire = new Wire(server.url);
  const { host } = new URL(server.url);
  const get = (path: string, more = '') => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${more}\r\n`);
  for (const path of ['/api/version', '/api/nothing', '/%zz']) {
    const first = await wire.exchange(get(path, 'connection: Upgrade\r\nupgrade: h2c\r\n'), { endless: false });
    expect(first).toMatchObject({ headers: { connection: 'close' } });
    expect(await wire.exchange(get(target), { endless: false })).not.toBe('silent');
  }
});

test('nonsense on a WebSocket ends it with a reason', async () => {
  const { alice } = server.people;
  const session = await alice.client.createSession({ body: {} });
  const client = await AttachClient.open({ url: server.url, token: alice.token }, `/api/sessions/${session.id}/attach`);
  client.control({ type: 'resize', rows: 0, cols: 0 });
  expect(await client.closed).toBe(1008);
  expect(client.controls.at(-1)).toMatchObject({ type: 'problem', code: 'bad-request' });
});

test('who is attached stays so while the database is away', async () => {
  const { alice } = server.people;
  const { sessions } = server.storage;
  const session = await alice.client.createSession({ body: {} });
  const client = await AttachClient.open({ url: server.url, token: alice.token }, `/api/sessions/${session.id}/attach`);
  await expect.poll(() => client.controls.length).toBe(1);
  const get = sessions.get.bind(sessions);
  let asked = 0;
  sessions.get = (id) => {
    asked += 1;
    return asked > 3 ? get(id) : Promise.reject(new DatabaseUnavailable(new Error('gone')));
  };
  await alice.client.terminateSession({ params: { session: session.id }, body: {} });
  await expect.poll(() => asked, { timeout: 20_000 }).toBeGreaterThan(3);
  expect(client.controls.map(({ type }) => type)).not.toContain('problem');
  client.vanish();
});

test('a database that is away is said in a problem of its own', async () => {
  const { alice } = server.people;
  const { sessions } = server.storage;
  const list = sessions.list.bind(sessions);
  sessions.list = () => Promise.reject(new DatabaseUnavailable(new Error('gone')));
  const response = await server.fetch('/api/sessions', { as: alice });
  sessions.list = list;
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await response.json()).toMatchObject({ code: 'database-unavailable' });
});

test('a mistake of ours is told as one, without its entrails', async () => {
  const { alice } = server.people;
  const { sessions } = server.storage;
  const list = sessions.list.bind(sessions);
  sessions.list = () => Promise.reject(new Error('the secret cause'));
  const response = await server.fetch('/api/sessions', { as: alice });
  sessions.list = list;
  expect(response.status).toBe(500);
  const body = (await response.json()) as { requestId: string };
  expect(JSON.stringify(body)).not.toContain('secret');
  expect(server.logged()).toMatch(new RegExp(`the secret cause[^\\n]*${body.requestId}|${body.requestId}[^\\n]*the secret cause`));
});
