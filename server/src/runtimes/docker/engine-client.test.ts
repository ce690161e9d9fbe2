import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEngineAddress } from './engine-address.ts';
import { EngineClient } from './engine-client.ts';

describe('an engine that does not answer', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-client-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const ask = (path: string, timeoutMs?: number): Promise<unknown> =>
    new EngineClient(parseEngineAddress(path)).call('engine.info', (docker) => docker.ping(), timeoutMs);

  it('is told as not running where nobody listens', async () => {
    const path = join(folder, 'dead.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const closed = ask(`tcp://127.0.0.1:1`);
    await expect(closed).rejects.toMatchObject({ kind: 'unreachable', message: expect.stringContaining('is not running') });
    server.close();
  });

  it('is told as hanging where it accepts and stays silent', async () => {
    const path = join(folder, 'silent.sock');
    const server = createServer(() => undefined).listen(path);
    await once(server, 'listening');
    await expect(ask(path, 100)).rejects.toMatchObject({ kind: 'unreachable', message: expect.stringContaining('did not answer within') });
    server.close();
  });

  it('is told as broken where it hangs up', async () => {
    const path = join(folder, 'rude.sock');
    const server = createServer((socket) => socket.destroy()).listen(path);
    await once(server, 'listening');
    await expect(ask(path)).rejects.toMatchObject({ kind: 'unreachable', message: expect.stringContaining('cannot be reached') });
    server.close();
  });

  it('is asked again on a new connection where it has just closed the kept one', async () => {
    const path = join(folder, 'forgetful.sock');
    const connections: number[] = [];
    const server = createServer((socket) => {
      const nth = connections.push(0) - 1;
      socket.on('data', () => {
        connections[nth] = (connections[nth] ?? 0) + 1;
        if (connections[nth] === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK');
        else socket.destroy();
      });
    }).listen(path);
    await once(server, 'listening');
    const client = new EngineClient(parseEngineAddress(path));
    const ping = (): Promise<unknown> => client.call('engine.info', (docker) => docker.ping());
    await ping();
    await ping();
    expect(connections).toEqual([2, 1]);
    server.close();
  });

  it.each([
    ['which must not be done twice', (client: EngineClient) => client.callAnew('engine.container-start', (docker) => docker.ping())],
    [
      'whose body can be read but once',
      (client: EngineClient) => client.open('engine.image-import', (docker) => docker.loadImage(Readable.from(['x'])), { anew: true }),
    ],
  ])('is not sent a second time that %s, and first on a new connection', async (_what, send) => {
    const path = join(folder, `once-${randomUUID()}.sock`);
    const requests: string[] = [];
    const server = createServer((socket) => {
      socket.once('data', (data) => {
        const [line = ''] = data.toString().split('\r\n');
        requests.push(line);
        if (requests.length > 1) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK');
      });
    }).listen(path);
    await once(server, 'listening');
    const client = new EngineClient(parseEngineAddress(path));
    await client.call('engine.info', (docker) => docker.ping());
    await expect(send(client)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(requests).toHaveLength(2);
    server.close();
  });
});
