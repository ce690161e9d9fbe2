import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { answerClientError } from '../../src/http/client-error.ts';
import { takeBody } from '../../src/http/take-body.ts';
import { after, GRANT } from '../storage/make.ts';
import { ApiServer, type Person } from './api-server.ts';
import { WorkFolder } from './work-folder.ts';

const MIB = 1024 * 1024;
let folder: WorkFolder;
let server: ApiServer;
let session: string;

beforeAll(async () => {
  folder = new WorkFolder();
  server = await ApiServer.start({}, { files: folder.files });
  session = await running('train');
});
afterEach(() => {
  for (const name of readdirSync(folder.path)) rmSync(folder.at(name), { recursive: true });
});
afterAll(async () => {
  await server.dispose();
  folder.remove();
});

async function running(name: string): Promise<string> {
  const { id } = await server.people.alice.client.createSession({ body: { name } });
  const made = await server.storage.sessions.get(id);
  if (made === undefined) throw new Error('it was just made');
  const next = after(made, { grant: GRANT, generation: 1, startedAt: new Date(), state: 'running' });
  await server.storage.sessions.save(next, { kind: 'state', message: 'running' }, null);
  return id;
}

const address = (path: string, more = '', verb = 'files'): string =>
  `/api/sessions/${session}/${verb}?path=${encodeURIComponent(path)}${more}`;
const as = (person: Person = server.people.alice) => ({ as: person });
const put = (path: string, body: NonNullable<RequestInit['body']>, more = '', person?: Person): Promise<Response> =>
  server.fetch(address(path, more), { method: 'PUT', body, duplex: 'half', ...as(person) });
const get = (path: string, person?: Person): Promise<Response> => server.fetch(address(path), as(person));
const problem = async (response: Response) => ({
  status: response.status,
  ...((await response.json()) as { code: string; detail: string }),
});

test('a file goes in and comes out again: any bytes, any content type, known length or not', async () => {
  const bytes = randomBytes(5 * MIB);
  const written = await put('in/data.bin', bytes);
  expect([written.status, await written.json()]).toEqual([200, { path: 'in/data.bin', size: bytes.length }]);
  const streamed = Readable.toWeb(Readable.from([Buffer.from('one '), Buffer.from('two')], { objectMode: false }));
  expect((await put('/home/work/streamed.json', streamed)).status).toBe(200);
  expect(readFileSync(folder.at('streamed.json'), 'utf8')).toBe('one two');
  const typed = { method: 'PUT', body: '{ no JSON', headers: { 'content-type': 'application/json' } };
  expect((await server.fetch(address('typed'), { ...typed, ...as() })).status).toBe(200);
  expect((await server.fetch(address('nothing'), { method: 'PUT', ...as() })).status).toBe(200);
  expect(readFileSync(folder.at('nothing'), 'utf8')).toBe('');

  const response = await get('in/data.bin');
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': String(bytes.length),
    'content-disposition': `attachment; filename="data.bin"; filename*=UTF-8''data.bin`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  });
  expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
});

test('a folder comes as an archive of what is in it', async () => {
  await put('data/a b', 'A');
  const response = await get('data');
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/x-tar',
    'content-disposition': expect.stringContaining('"data.tar"'),
  });
  const names: string[] = [];
  const tar = extract();
  Readable.from(response.body ?? []).pipe(tar);
  for await (const entry of tar) names.push(`${entry.header.name}: ${await text(entry)}`);
  expect(names).toEqual(['./: ', './a b: A']);
  expect((await get('.')).headers.get('content-disposition')).toContain('"train.tar"');
});

test('a folder is listed', async () => {
  await put('odd "name"\n', 'x', '&executable=true');
  mkdirSync(folder.at('sub'));
  const response = await server.fetch(`/api/sessions/${session}/file-list`, as());
  expect(await response.json()).toMatchObject({
    path: '.',
    folder: '/home/alice',
    complete: true,
    entries: [
      { name: 'odd "name"\n', kind: 'file', size: 1, mode: '-rwxr-xr-x' },
      { name: 'sub', kind: 'folder' },
    ],
  });
  expect(await server.people.alice.client.listFiles({ params: { session }, query: { path: 'sub' } })).toMatchObject({
    path: 'sub',
    folder: '/home/alice/sub',
    entries: [],
  });
});

test('what lies outside is refused whichever way it is asked for, and nothing is written', async () => {
  symlinkSync('/etc', folder.at('link'));
  for (const path of ['../x', '/etc/passwd', 'a/../../x', 'a\0b', 'x'.repeat(5000)]) {
    for (const response of [await put(path, 'x'), await get(path), await server.fetch(address(path, '', 'file-list'), as())])
      expect(await problem(response)).toMatchObject({ status: 400, code: 'invalid-field' });
  }
  for (const path of ['link', 'link/passwd'])
    expect(await problem(await get(path))).toMatchObject({ status: 400, detail: expect.stringMatching(/symbolic link/) });
  expect(await problem(await put('link/x', 'x'))).toMatchObject({ status: 400 });
  expect(readdirSync(folder.path)).toEqual(['link']);
});

test('what is not there is not found, what is in the way is said', async () => {
  expect(await problem(await get('nothing'))).toMatchObject({
    status: 404,
    code: 'not-found',
    detail: expect.stringContaining('"nothing"'),
  });
  mkdirSync(folder.at('sub'));
  expect(await problem(await put('sub', 'x'))).toMatchObject({ status: 400, detail: expect.stringContaining('is a folder') });
  expect(await problem(await put('sub/', 'x'))).toMatchObject({ status: 400, code: 'invalid-field' });
  expect(await problem(await put('', 'x'))).toMatchObject({ status: 400, code: 'invalid-field' });
});

test('only its owner reaches the files of a session, and only while it runs', async () => {
  await put('mine', 'x');
  const { bob, root } = server.people;
  for (const [person, status] of [
    [bob, 404],
    [root, 403],
  ] as const) {
    for (const response of [
      await put('mine', 'y', '', person),
      await get('mine', person),
      await server.fetch(address('.', '', 'file-list'), as(person)),
    ])
      expect(response.status).toBe(status);
  }
  expect((await server.fetch(address('mine'), { method: 'PUT', body: 'y' })).status).toBe(401);
  expect(readFileSync(folder.at('mine'), 'utf8')).toBe('x');
  const { id } = await server.people.alice.client.createSession({ body: { name: 'waiting' } });
  const early = await server.fetch(`/api/sessions/${id}/files?path=x`, as());
  expect(await problem(early)).toMatchObject({ status: 409, code: 'wrong-state', detail: expect.stringMatching(/waiting is pending/) });
});

test('a refused upload is answered while it is still being sent, and the connection is good for more', async () => {
  const socket = await sending({ path: '../x', length: 3 * MIB });
  socket.write(Buffer.alloc(3 * MIB));
  expect(await answerOn(socket)).toMatch(/^HTTP\/1.1 400 [\s\S]*invalid-field/);
  socket.write(`GET /api/version HTTP/1.1\r\nhost: ${new URL(server.url).host}\r\nconnection: close\r\n\r\n`);
  expect(await answerOn(socket)).toMatch(/^HTTP\/1.1 200 /);
});

test('half an upload changes nothing', async () => {
  await put('kept', 'whole');
  const socket = await sending({ path: 'kept', length: MIB });
  socket.write(Buffer.alloc(MIB / 2));
  await expect.poll(() => readdirSync(folder.path)).toHaveLength(2);
  socket.destroy();
  await expect.poll(() => readdirSync(folder.path)).toEqual(['kept']);
  expect(readFileSync(folder.at('kept'), 'utf8')).toBe('whole');
  const chunked = await sending({ path: 'kept' });
  chunked.write('5\r\nhello\r\nnot a length\r\n');
  expect(await answerOn(chunked)).toMatch(/^HTTP\/1.1 400 /);
  await expect.poll(() => readdirSync(folder.path)).toEqual(['kept']);
});

test('a client that goes away in the middle of a download leaves no process', async () => {
  writeFileSync(folder.at('big'), Buffer.alloc(64 * MIB));
  const controller = new AbortController();
  const response = await server.fetch(address('big'), { ...as(), signal: controller.signal });
  expect(response.status).toBe(200);
  controller.abort();
  await expect.poll(() => folder.shell.running).toBe(0);
});

test('what was done with files is in the log, what they are called and hold is not', async () => {
  await put('secret-name', 'secret-content');
  await get('secret-name');
  const logged = server.logged();
  for (const action of ['session.upload', 'session.download']) expect(logged).toContain(`"audit":"${action}"`);
  expect(logged).not.toMatch(/secret-(name|content)/);
});

test('a body may take longer than a request, where somebody takes it; another may not', async () => {
  const slow = createServer({ requestTimeout: 100, headersTimeout: 100, connectionsCheckingInterval: 20 }, (request, response) => {
    const taking = takeBody(request, { path: 'x', hurried: request.url === '/hurried' }, (content) => text(content));
    void taking.then(
      (body) => response.end(body),
      () => response.destroy(),
    );
  });
  let complaints = 0;
  slow.on('clientError', (error, socket) => {
    complaints += 1;
    answerClientError(error, socket as Socket);
  });
  slow.listen(0, '127.0.0.1');
  await once(slow, 'listening');
  const open = async (path: string): Promise<Socket> => {
    const socket = connect((slow.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`PUT ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n1`);
    return socket;
  };
  const [hurried, patient] = [await open('/hurried'), await open('/patient')];
  expect(await answerOn(hurried)).toMatch(/^HTTP\/1.1 408 [\s\S]*"status":408/);
  await expect.poll(() => complaints).toBe(2);
  patient.write('2');
  expect(await answerOn(patient)).toMatch(/^HTTP\/1.1 200 [\s\S]*12$/);
  slow.close();
});

/** The head of an upload, as bytes; without a length it comes in chunks. */
async function sending({ path, length }: { path: string; length?: number }): Promise<Socket> {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const extent = length === undefined ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  socket.write(`PUT ${address(path)} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${server.people.alice.token}\r\n${extent}\r\n\r\n`);
  return socket;
}

/** What comes next, until it is whole or the server closes. */
function answerOn(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const done = (): void => {
      socket.off('data', look).off('close', done).off('error', done);
      resolve(answer);
    };
    const look = (data: Buffer): void => {
      answer += data.toString();
      const [head = '', body] = answer.split('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (body !== undefined && length !== undefined && Buffer.byteLength(body) >= Number(length)) done();
    };
    socket.on('data', look).on('close', done).on('error', done);
  });
}
