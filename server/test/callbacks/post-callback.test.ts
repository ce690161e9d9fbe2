import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { postCallback, type PostOptions } from '../../src/callbacks/post-callback.ts';
import { hostResolver } from '../../src/callbacks/resolve-host.ts';
import type { Outcome } from '../../src/domain/deliveries/callback.ts';
import { OutgoingRules } from '../../src/domain/network/outgoing-rules.ts';
import { Receiver } from './receiver.ts';

/** As the operator of the tests would set it: this one address of the machine and no other. */
const rules = new OutgoingRules({ allow: ['127.0.0.1'] });
const SHORT = { connectMs: 300, totalMs: 600, answerBytes: 4096 };
const never = new AbortController().signal;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function receiver(host?: string, port?: number): Promise<Receiver> {
  const made = await Receiver.listen(host, port);
  closing.push(() => made.close());
  return made;
}
/** Says what the test says to whoever connects, and is not bound to HTTP. */
async function speaker(say: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    say(socket);
  });
  return listening(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}
async function listening(server: Server, cut: () => void): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    const closed = once(server, 'close');
    server.close();
    cut();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}
const post = (url: string, more: Partial<PostOptions> = {}, stopping = never): Promise<Outcome> =>
  postCallback(
    { url, headers: { 'content-type': 'application/json', 'berth-delivery': 'd1' }, body: '{"a":"ä"}' },
    { rules, resolve: hostResolver(rules), ...more },
    stopping,
  );

describe('a callback', () => {
  test('is one POST with its headers and body, to the host and path of the URL', async () => {
    const to = await receiver();
    expect(await post(to.url)).toEqual({ status: 204, problem: null });
    expect(to.received).toEqual([
      expect.objectContaining({
        method: 'POST',
        path: '/hook?token=secret-word',
        body: '{"a":"ä"}',
        headers: expect.objectContaining({
          host: `127.0.0.1:${to.port}`,
          'content-length': '10',
          'berth-delivery': 'd1',
          connection: 'close',
        }),
      }),
    ]);
  });
  test('is not delivered, and over, when it is answered by another protocol', async () => {
    const port = await speaker((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')),
    );
    expect(await post(`http://127.0.0.1:${port}/`)).toEqual({ status: null, problem: expect.any(String) });
  });
  test.each([200, 201, 202, 299])('is delivered when it is answered %d', async (status) => {
    const to = await receiver();
    to.answer = (response) => void response.writeHead(status).end('thanks');
    expect(await post(to.url)).toEqual({ status, problem: null });
  });
  test.each([400, 404, 410, 500, 503])('is not when it is answered %d, and is not sent again', async (status) => {
    const to = await receiver();
    to.answer = (response) => void response.writeHead(status, { 'retry-after': '0' }).end();
    expect(await post(to.url)).toEqual({ status, problem: `it answered ${status}` });
    expect(to.received).toHaveLength(1);
  });
  test.each([301, 302, 303, 307, 308])('does not follow a redirect: %d', async (status) => {
    const [to, elsewhere] = [await receiver(), await receiver()];
    to.answer = (response) => void response.writeHead(status, { location: elsewhere.url }).end();
    expect(await post(to.url)).toEqual({ status, problem: expect.stringContaining('redirects are not followed') });
    expect(elsewhere.received).toEqual([]);
  });
});

describe('the guard', () => {
  test('asks nobody at an internal address, in whatever form the URL has it', async () => {
    const to = await receiver();
    const nobody = { rules: new OutgoingRules() };
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '[::ffff:127.0.0.1]', 'localhost'])
      expect(
        await post(`http://${host}:${to.port}/`, {
          ...nobody,
          resolve: host === 'localhost' ? async () => ['127.0.0.1'] : hostResolver(nobody.rules),
        }),
      ).toEqual({
        status: null,
        problem: expect.stringContaining('internal'),
      });
    expect(to.received).toEqual([]);
  });
  test('asks nobody when one of the addresses of a name is internal', async () => {
    const to = await receiver();
    for (const addresses of [
      ['127.0.0.1', '10.0.0.1'],
      ['8.8.8.8', '127.0.0.2', '127.0.0.1'],
      ['127.0.0.1', '::1'],
      ['127.0.0.1', 'nonsense'],
      [],
    ])
      expect(await post(`http://mixed.test:${to.port}/`, { resolve: async () => addresses })).toMatchObject({
        status: null,
        problem: expect.any(String),
      });
    expect(to.received).toEqual([]);
  });
  test('connects to the address that was checked: a name server that changes its mind changes nothing', async () => {
    const good = await receiver('127.0.0.1');
    const bad = await receiver('127.0.0.2', good.port);
    const answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.2']];
    let asked = 0;
    const resolve = async (): Promise<string[]> => answers[(asked += 1) - 1] ?? [];
    expect(await post(`http://rebind.test:${good.port}/`, { resolve })).toEqual({ status: 204, problem: null });
    expect([asked, good.received.length, bad.received.length]).toEqual([1, 1, 0]);
    expect(good.received[0]?.headers.host).toBe(`rebind.test:${good.port}`);
    expect(await post(`http://rebind.test:${good.port}/`, { resolve })).toMatchObject({
      status: null,
      problem: expect.stringContaining('internal'),
    });
    expect(bad.received).toEqual([]);
  });
  test('tries the next of several good addresses when the first does not answer', async () => {
    const to = await receiver();
    const both = new OutgoingRules({ allow: ['127.0.0.1', '127.0.0.9'] });
    expect(await post(`http://two.test:${to.port}/`, { rules: both, resolve: async () => ['127.0.0.9', '127.0.0.1'] })).toEqual({
      status: 204,
      problem: null,
    });
  });
  test('a name that the operator vouches for is looked up as this machine does', async () => {
    const to = await receiver();
    const vouching = new OutgoingRules({ allow: ['localhost'] });
    const ipv4 = async (host: string, signal: AbortSignal): Promise<string[]> =>
      (await hostResolver(vouching)(host, signal)).filter((address) => address.startsWith('127.'));
    expect(await post(`http://localhost:${to.port}/`, { rules: vouching, resolve: ipv4 })).toEqual({ status: 204, problem: null });
  });
});

describe('a receiver that behaves badly', () => {
  test('by sending its head byte by byte is cut off', async () => {
    const port = await speaker((socket) => {
      const drip = setInterval(() => socket.write('X'), 20);
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      socket.once('close', () => clearInterval(drip));
    });
    expect(await post(`http://127.0.0.1:${port}/`, { limits: SHORT })).toEqual({ status: null, problem: 'no answer within 0.6 seconds' });
  });
  test('by never ending its answer is cut off; what it answered counts', async () => {
    const to = await receiver();
    let ended = false;
    to.answer = (response) => {
      const drip = setInterval(() => response.write('.'), 20);
      response.once('close', () => (clearInterval(drip), (ended = true)));
    };
    expect(await post(to.url, { limits: SHORT })).toEqual({ status: 200, problem: null });
    await expect.poll(() => ended).toBe(true);
  });
  test('by answering without end is cut off long before', async () => {
    const to = await receiver();
    let written = (): number => 0;
    to.answer = (response) => {
      const { socket } = response;
      written = () => socket?.bytesWritten ?? 0;
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536), more);
      };
      more();
    };
    expect(await post(to.url)).toEqual({ status: 200, problem: null });
    expect(written()).toBeLessThan(32 * 1024 ** 2);
  });
  test.each<[string, (socket: Socket) => void, string]>([
    ['an endless head', (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1_000_000)}`), 'head of its answer is too large'],
    ['what is no HTTP', (socket) => void socket.end('SSH-2.0-OpenSSH_9.9\r\n'), 'not HTTP'],
    ['nothing, and hangs up', (socket) => void socket.destroy(), 'connection broke'],
    ['nothing at all', () => undefined, 'no answer within'],
  ])('and says %s', async (_, say, problem) => {
    const port = await speaker((socket) => socket.once('data', () => say(socket)));
    expect(await post(`http://127.0.0.1:${port}/`, { limits: SHORT })).toEqual({ status: null, problem: expect.stringContaining(problem) });
  });
  test('or is not there', async () => {
    const to = await receiver();
    const { url } = to;
    await to.close();
    expect(await post(url)).toEqual({ status: null, problem: '"127.0.0.1": nothing listens there' });
  });
  test('or never comes to an understanding about encryption', async () => {
    const port = await speaker(() => undefined);
    expect(await post(`https://127.0.0.1:${port}/`, { limits: SHORT })).toEqual({
      status: null,
      problem: expect.stringContaining('no connection within 0.3'),
    });
  });
  test('is left alone when the server stops', async () => {
    const to = await receiver();
    to.answer = () => undefined;
    const stopping = new AbortController();
    const posting = post(to.url, {}, stopping.signal);
    await expect.poll(() => to.received.length).toBe(1);
    stopping.abort();
    await expect(posting).rejects.toThrow();
  });
});

describe('with TLS', () => {
  test('the certificate must be good for the name, whatever the address', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-test-tls-'));
    closing.push(() => rm(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    const subject = ['-subj', '/CN=hooks.test', '-addext', 'subjectAltName=DNS:hooks.test'];
    await promisify(execFile)('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ]);
    const ca = await readFile(cert, 'utf8');
    const names: unknown[] = [];
    const server = createTlsServer({ key: await readFile(key), cert: ca }, (_, response) => void response.writeHead(204).end());
    server.on('secureConnection', ({ servername }) => names.push(servername));
    const port = await listening(server, () => server.closeAllConnections());
    const resolve = async (): Promise<string[]> => ['127.0.0.1'];
    expect(await post(`https://hooks.test:${port}/`, { resolve, ca })).toEqual({ status: 204, problem: null });
    expect(names).toEqual(['hooks.test']);
    const bad = { status: null, problem: expect.stringContaining('certificate') };
    expect(await post(`https://other.test:${port}/`, { resolve, ca })).toEqual(bad);
    expect(await post(`https://127.0.0.1:${port}/`, { ca })).toEqual(bad);
    expect(await post(`https://hooks.test:${port}/`, { resolve })).toEqual(bad);
  });
});
