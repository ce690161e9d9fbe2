import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
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
});
