import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import type { ContainerRef } from '../runtime.ts';
import { ClusterClient } from './cluster-client.ts';
import { execIn } from './exec-session.ts';
import { labelsOfRef } from './names.ts';
import { watchPods } from './watch-pods.ts';

/** What a cluster cannot be made to do on demand: its API server is played here. */
let server: Server;
let client: ClusterClient;
let folder: string;
let answer: RequestListener;
let sockets: WebSocketServer;

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  sockets = new WebSocketServer({ server, handleProtocols: (offered) => (offered.has('v5.channel.k8s.io') ? 'v5.channel.k8s.io' : false) });
  folder = mkdtempSync(join(tmpdir(), 'berth-cluster-'));
  const kubeconfig = join(folder, 'config');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clusters = [{ name: 'c', cluster: { server: address, 'insecure-skip-tls-verify': true } }];
  const contexts = [{ name: 'c', context: { cluster: 'c', user: 'u' } }];
  writeFileSync(
    kubeconfig,
    JSON.stringify({ 'current-context': 'c', contexts, clusters, users: [{ name: 'u', user: { token: 'secret' } }] }),
  );
  client = new ClusterClient({ kubeconfig, namespace: 'ns' });
});
afterEach(() => {
  client.close();
  sockets.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const version = (): Promise<unknown> => client.call('cluster.version', (api) => api.version.getCode());
const json = (body: unknown): RequestListener => {
  return (_request, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
};

describe('a call', () => {
  test('says who we are, and a patch is a merge', async () => {
    const seen: (string | undefined)[] = [];
    answer = (request, response) => {
      seen.push(request.headers.authorization, request.headers['content-type']);
      json({})(request, response);
    };
    await client.call('cluster.pod-patch', (api) => api.core.patchNamespacedPod({ name: 'p', namespace: 'ns', body: { spec: {} } }));
    expect(seen).toEqual(['Bearer secret', 'application/merge-patch+json']);
  });

  test('is made again where the kept connection was just closed', async () => {
    let requests = 0;
    answer = (request, response) => {
      requests += 1;
      if (requests === 2) request.socket.resetAndDestroy();
      else json({ minor: '20' })(request, response);
    };
    await version();
    expect(await version()).toMatchObject({ minor: '20' });
  });

  test('that is not answered in time says so, and since when the cluster is silent', async () => {
    answer = () => undefined;
    const slow = (): Promise<unknown> => client.call('cluster.version', (api) => api.version.getCode(), 20);
    const first = await slow().catch((error: unknown) => error);
    expect(first).toMatchObject({ kind: 'unreachable', message: expect.stringMatching(/does not answer since .*: no answer within 0 s$/) });
    expect(await slow().catch((error: unknown) => error)).toMatchObject({ message: (first as Error).message });
  });

  test('that is answered by no API server is not a silent one', async () => {
    answer = (_request, response) => response.setHeader('content-type', 'text/html').end('<html>');
    await expect(version()).rejects.toMatchObject({ name: 'RuntimeError', kind: 'retry', failure: { code: 'rejected' } });
  });
});

describe('a watch', () => {
  const instance = 'i';
  const ref: ContainerRef = { sessionId: 's', generation: 1, container: 'main1' };
  const watching = (): AsyncGenerator<ContainerRef> =>
    watchPods(client, { instance, resourceVersion: '7', signal: new AbortController().signal });
  const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
  const changed = event('MODIFIED', { metadata: { labels: labelsOfRef(ref, instance) } });

  test.each<[string, RequestListener]>([
    ['the version is too old', (_request, response) => response.writeHead(410).end('{"code":410}')],
    ['the version has become too old', (_request, response) => response.end(event('ERROR', { code: 410 }))],
    ['the API server ends it', (_request, response) => response.end()],
  ])('ends where %s: the caller lists again', async (_name, listener) => {
    answer = listener;
    expect(await watching().next()).toMatchObject({ done: true });
  });

  test('tells whose pods changed, and throws where the connection breaks', async () => {
    answer = (_request, response) => {
      response.write(changed + event('ADDED', { metadata: { labels: labelsOfRef(ref, 'another') } }));
      response.write(changed.slice(0, 20), () => setImmediate(() => response.destroy()));
    };
    const hints = watching();
    expect((await hints.next()).value).toEqual(ref);
    await expect(hints.next()).rejects.toMatchObject({ kind: 'unreachable' });
  });
});

describe('an exec on a cluster that can tell the end of input', () => {
  /** A cat: tells its input back, and ends with it. */
  const cat = (socket: WebSocket): void => {
    socket.on('message', (message: Buffer) => {
      if (message[0] === 0) socket.send(Buffer.concat([Buffer.of(1), message.subarray(1)]));
      if (message[0] !== 255) return;
      socket.send(Buffer.concat([Buffer.of(3), Buffer.from('{"status":"Success"}')]));
      socket.close();
    });
  };
  beforeEach(() => {
    answer = json({ major: '1', minor: '31+' });
  });

  test('input goes as it is', async () => {
    sockets.on('connection', cat);
    const terminal = await execIn(client, { pod: 'p', shell: true }, { command: ['cat'], tty: null }, () => undefined);
    terminal.stdin.end('as it is');
    expect(await text(terminal.stdout)).toBe('as it is');
    expect(await terminal.exited).toBe(0);
  });

  test('a connection that breaks ends the streams, without an exit code', async () => {
    sockets.on('connection', (socket) => socket.send(Buffer.of(1, 65), () => socket.terminate()));
    const terminal = await execIn(client, { pod: 'p', shell: false }, { command: ['cat'], tty: null }, () => undefined);
    expect(await text(terminal.stdout)).toBe('A');
    expect(await terminal.exited).toBeUndefined();
  });
});
