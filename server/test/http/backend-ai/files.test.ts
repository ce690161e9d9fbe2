import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { extract } from 'tar-stream';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { WorkFolder } from '../work-folder.ts';
import { likeABrowser, realClient, refusal, type RealClient } from './real-client.ts';
import type { Answered } from './signing-client.ts';
import { ending, Stage, TYPE } from './stage.ts';

const MIB = 1024 * 1024;
const BOUNDARY = 'form-boundary';
const FORM = `multipart/form-data; boundary=${BOUNDARY}`;
let folder: WorkFolder;
let stage: Stage;
let name: string;
let real: RealClient;

beforeAll(async () => {
  likeABrowser();
  folder = new WorkFolder();
  stage = await Stage.open({ files: folder.files });
  ({ name } = await stage.running());
  real = realClient(stage.server.url, stage.keys.alice);
  await real.get_manager_version();
});
afterEach(() => {
  for (const entry of readdirSync(folder.path)) rmSync(folder.at(entry), { recursive: true });
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await stage.close();
  folder.remove();
});

/** As Python's aiohttp writes a form. */
const form = (...files: readonly (readonly [name: string, content: string | Buffer])[]): Buffer =>
  Buffer.concat([
    ...files.flatMap(([file, content]) => [
      Buffer.from(
        `--${BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; name="src"; filename="${encodeURIComponent(file)}"\r\n\r\n`,
      ),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
const upload = (raw: Buffer | string, type = FORM, more = {}): Promise<Answered> =>
  stage.py.send('POST', `/session/${name}/upload`, { raw, type, headers: more });
const refused = (answer: Answered) => [answer.status, answer.body['type']];
const BAD = [400, `${TYPE}invalid-api-params`];

async function unpacked(archive: Buffer): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const tar = extract();
  Readable.from([archive]).pipe(tar);
  for await (const entry of tar) files[entry.header.name] = await text(entry);
  return files;
}
const bufferOf = async (blob: Blob): Promise<Buffer> => Buffer.from(await blob.arrayBuffer());

/** The bodies of a multipart/mixed answer, each an archive. */
async function archivesIn(type: string, body: Buffer): Promise<Record<string, string>[]> {
  const boundary = /^multipart\/mixed; ?boundary=(.+)$/.exec(type)?.[1] ?? 'none';
  const parts = body.toString('latin1').split(`--${boundary}`);
  expect([parts[0], parts.at(-1)]).toEqual(['', '--\r\n']);
  return Promise.all(
    parts.slice(1, -1).map((part) => {
      expect(part).toMatch(/^\r\nContent-Type: application\/x-tar\r\nContent-Encoding: identity\r\n\r\n[^]*\r\n$/);
      return unpacked(Buffer.from(part.slice(part.indexOf('\r\n\r\n') + 4, -2), 'latin1'));
    }),
  );
}

test('the real client uploads, downloads one or several, and is told what is not there', async () => {
  await real.upload(name, 'sub/a "file" ü.txt', new Blob(['content']));
  expect(readFileSync(folder.at('sub/a "file" ü.txt'), 'utf8')).toBe('content');
  expect(await unpacked(await bufferOf(await real.download_single(name, 'sub/a "file" ü.txt')))).toEqual({ 'a "file" ü.txt': 'content' });
  writeFileSync(folder.at('second'), 'two');
  const both = await real.download(name, ['sub', '/home/work/second']);
  expect(await archivesIn(both.type, await bufferOf(both))).toEqual([
    { './sub/': '', './sub/a "file" ü.txt': 'content' },
    { second: 'two' },
  ]);
  const blob = (await real.download_single(name, 'nothing').catch((error: unknown) => error)) as object;
  expect(blob).toMatchObject({ isError: true, statusCode: 400 });
  await expect(real.upload(name, '../out', new Blob(['x']))).rejects.toMatchObject(refusal(400, 'Input validation error'));
  await expect(real.upload(name, 'big', new Blob([Buffer.alloc(MIB)]))).rejects.toMatchObject(
    refusal(400, 'Missing or invalid API parameters.'),
  );
  expect(readdirSync(folder.path).toSorted()).toEqual(['second', 'sub']);
});

test('a form as Python sends it: several files, chunked or with a length, parents made, files replaced', async () => {
  const body = form(['deep/er/a b.txt', 'A'], ['plain', Buffer.from([0, 255, 13, 10])], ['line\nbreak', '']);
  const sent = await upload(body, undefined, { 'transfer-encoding': 'chunked' });
  expect([sent.status, sent.text, sent.headers['content-type']]).toEqual([204, '', undefined]);
  expect(readFileSync(folder.at('deep/er/a b.txt'), 'utf8')).toBe('A');
  expect(readFileSync(folder.at('plain'))).toEqual(Buffer.from([0, 255, 13, 10]));
  expect(readFileSync(folder.at('line\nbreak'), 'utf8')).toBe('');
  expect((await upload(form(['/home/work/plain', 'new']))).status).toBe(204);
  expect(readFileSync(folder.at('plain'), 'utf8')).toBe('new');
});

test('what is too many, too large or leads out changes nothing', async () => {
  const many = Array.from({ length: 21 }, (_, n) => [`f${n}`, 'x'] as const);
  expect(refused(await upload(form(...many)))).toEqual(BAD);
  expect((await upload(form(...many.slice(0, 20)))).status).toBe(204);
  for (const path of readdirSync(folder.path)) rmSync(folder.at(path));
  expect(refused(await upload(form(['good', 'x'], ['large', Buffer.alloc(MIB)])))).toEqual(BAD);
  for (const bad of ['../out', '/etc/passwd', 'a/../../out', 'nul\0'])
    expect(refused(await upload(form(['good', 'x'], [bad, 'x'])))).toEqual(BAD);
  expect(readdirSync(folder.path)).toEqual([]);
  expect((await upload(form(['most', Buffer.alloc(MIB - 1)]))).status).toBe(204);
});

test('what is no form is refused as that, and a form where none is taken', async () => {
  const json = await stage.py.send('POST', `/session/${name}/upload`, { body: { src: 'x' } });
  expect([refused(json), json.body['msg']]).toEqual([BAD, expect.stringContaining('multipart/form-data')]);
  expect(refused(await upload(form(['a', 'x']), 'multipart/form-data'))).toEqual(BAD);
  const elsewhere = await stage.py.send('POST', '/session', { raw: form(['a', 'x']), type: FORM });
  expect([refused(elsewhere), elsewhere.body['msg']]).toEqual([BAD, expect.stringContaining('takes no form')]);
});

test('hostile bytes are refused, and the server takes the next request', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      `--${BOUNDARY}`,
      '--',
      '\r\n',
      '\r\n\r\n',
      `\r\n--${BOUNDARY}--`,
      'Content-Disposition: form-data; filename="a',
      '"',
      'filename*=x',
      '\0',
      '\xff',
    ),
    fc.string({ maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      expect([400, 204]).toContain((await upload(Buffer.from(pieces.join(''), 'latin1'))).status);
    }),
    { numRuns: 150 },
  );
  expect(refused(await upload(`--${BOUNDARY}\r\n${'X: y\r\n'.repeat(50_000)}\r\nx\r\n--${BOUNDARY}--`))).toEqual(BAD);
  expect(refused(await upload(`--${BOUNDARY}\r\n\r\n`.repeat(100_000)))).toEqual(BAD);
  const latin1 = `--${BOUNDARY}\r\nContent-Disposition: form-data; filename="caf\xe9 \xe0"\r\n\r\nx\r\n--${BOUNDARY}--\r\n`;
  expect(refused(await upload(Buffer.from(latin1, 'latin1')))).toEqual(BAD);
  expect((await upload(form(['after', 'x']))).status).toBe(204);
});

test('a form without end holds no more memory than the largest that is taken', async () => {
  const before = process.memoryUsage.rss();
  const { hostname, port } = new URL(stage.server.url);
  const endless = async (): Promise<string> => {
    const socket = connect(Number(port), hostname);
    const headers = stage.py.signedHeaders('POST', `/session/${name}/upload`, { hasBody: true, type: FORM });
    const lines = Object.entries({ ...headers, 'transfer-encoding': 'chunked' }).map(([key, value]) => `${key}: ${value}`);
    socket.write(`POST /session/${name}/upload HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    const answer: string[] = [];
    socket.on('data', (data: Buffer) => answer.push(data.toString())).on('error', () => undefined);
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MIB, 'x'), Buffer.from('\r\n')]);
    for (let count = 0; count < 200 && answer.length === 0 && !socket.destroyed; count += 1)
      await new Promise((resolve) => socket.write(chunk, resolve));
    socket.destroy();
    return answer.join('');
  };
  const answers = await Promise.all(Array.from({ length: 12 }, endless));
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(process.memoryUsage.rss() - before).toBeLessThan(600 * MIB);
});

test('half a form changes nothing, and leaves nobody waiting', async () => {
  const { hostname, port } = new URL(stage.server.url);
  const socket = connect(Number(port), hostname);
  const headers = stage.py.signedHeaders('POST', `/session/${name}/upload`, { hasBody: true, type: FORM });
  const lines = Object.entries({ ...headers, 'content-length': '1000' }).map(([key, value]) => `${key}: ${value}`);
  socket.write(`POST /session/${name}/upload HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${form(['a', 'x']).toString()}`);
  socket.end();
  await new Promise((resolve) => socket.on('error', resolve).on('close', resolve).resume());
  expect(readdirSync(folder.path)).toEqual([]);
  expect((await upload(form(['b', 'x']))).status).toBe(204);
});

test('a listing is a text of JSON, asked for by a query, a body, or with nothing', async () => {
  writeFileSync(folder.at('it\'s "x"'), '12345');
  mkdirSync(folder.at('sub'));
  writeFileSync(folder.at('sub/y'), '');
  const answer = await stage.js.send('GET', `/session/${name}/files`);
  expect(answer.body).toEqual({ files: expect.any(String), errors: '', abspath: '.', folder_path: '/home/alice' });
  const seconds = expect.any(Number);
  expect(JSON.parse(String(answer.body['files']))).toEqual([
    { mode: '-rw-r--r--', size: 5, ctime: seconds, mtime: seconds, atime: seconds, filename: 'it\'s "x"' },
    { mode: expect.stringMatching(/^d/), size: expect.any(Number), ctime: seconds, mtime: seconds, atime: seconds, filename: 'sub' },
  ]);
  const inBody = await stage.py.send('GET', `/session/${name}/files`, { body: { path: 'sub' } });
  expect(inBody.body).toMatchObject({ abspath: 'sub', folder_path: '/home/alice/sub' });
  expect((await stage.js.send('GET', `/kernel/${name}/files?path=/home/work/sub`)).body).toEqual(inBody.body);
  expect(refused(await stage.js.send('GET', `/session/${name}/files?path=..`))).toEqual(BAD);
});

test('downloads are asked for by a query, a body of a GET, or a POST; five at most; all or none', async () => {
  for (const file of ['a', 'b']) writeFileSync(folder.at(file), file);
  const asked: readonly (readonly [string, string, object])[] = [
    ['GET', '?files=a&files=b', {}],
    ['GET', '', { body: { files: ['a', 'b'] } }],
    ['POST', '?files=a&files=b', {}],
    ['POST', '', { body: { files: ['a', 'b'] } }],
  ];
  for (const [method, query, wish] of asked) {
    const answer = await stage.py.send(method, `/session/${name}/download${query}`, wish);
    expect(answer.status).toBe(200);
    expect(await archivesIn(answer.headers['content-type'] ?? '', Buffer.from(answer.text))).toEqual([{ a: 'a' }, { b: 'b' }]);
  }
  const missing = await stage.js.send('GET', `/session/${name}/download?files=a&files=nothing`);
  expect([refused(missing), missing.body['title']]).toEqual([BAD, 'The file is not found.']);
  expect(refused(await stage.js.send('GET', `/session/${name}/download?${'files=a&'.repeat(6)}`))).toEqual(BAD);
  expect(refused(await stage.js.send('GET', `/session/${name}/download`))).toEqual(BAD);
  expect(refused(await stage.js.send('POST', `/session/${name}/download_single`))).toEqual(BAD);
  symlinkSync('/etc/passwd', folder.at('link'));
  expect(refused(await stage.js.send('GET', `/session/${name}/download_single?file=link`))).toEqual(BAD);
  await expect.poll(() => folder.shell.running).toBe(0);
});

test("files of a session that does not run, that is dead, or that is another's", async () => {
  const waiting = await stage.made();
  expect(refused(await stage.js.send('GET', `/session/${waiting.name}/files`))).toEqual(BAD);
  const dead = await stage.running();
  await stage.become(dead.id, ending('terminated'));
  for (const path of ['files', 'download?files=a', 'download_single?file=a'])
    expect(refused(await stage.js.send('GET', `/session/${dead.name}/${path}`))).toEqual([404, `${TYPE}object-not-found`]);
  expect((await stage.bob.send('GET', `/session/${name}/files`)).status).toBe(404);
  const owner = `owner_access_key=${stage.keys.alice.accessKey}`;
  expect((await stage.root.send('GET', `/session/${name}/files?${owner}`)).status).toBe(403);
});
