import { readFile } from 'node:fs/promises';
import type { Client, CreateSessionInput, Session } from '@berth/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BerthProcess } from '../support/berth-process.ts';
import { ENGINES } from '../support/engines.ts';
import { endAll, until } from '../support/until.ts';
import { AttachClient } from './attach-client.ts';
import { EngineProxy } from './engine-proxy.ts';

const IMAGE = `docker://${process.env['BERTH_TEST_IMAGE'] ?? 'dev/debian:latest'}`;
const MIB = 1024 ** 2;

describe.each(ENGINES)('clients that are slow and connections that break, on $name', ({ host }) => {
  let proxy: EngineProxy;
  let server: BerthProcess;
  let client: Client;
  let token: string;
  beforeAll(async () => {
    proxy = await EngineProxy.before(host);
    server = await BerthProcess.start({ dockerHost: proxy.host });
    client = await server.client();
    token = await server.token();
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
    await proxy.close();
  });

  const create = (more: CreateSessionInput): Promise<Session> => client.createSession({ body: { image: IMAGE, pull: 'never', ...more } });
  const running = async (more: CreateSessionInput): Promise<Session> =>
    until(client, (await create(more)).id, 'running', ({ state }) => state === 'running');
  const open = (path: string, query: Record<string, string | number | boolean> = {}) =>
    AttachClient.open({ url: server.url, token }, path, query);
  const exec = (id: string, script: string) => open(`/api/sessions/${id}/exec`, { command: JSON.stringify(['bash', '-c', script]) });
  const memory = async (): Promise<number> => {
    const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  };

  test('a client that does not read holds up its process, not the server', async () => {
    const { id } = await running({ command: ['sleep', '600'] });
    const before = await memory();
    const slow = await exec(id, `head -c ${200 * MIB} /dev/zero; echo done >&2`);
    slow.pause();
    let most = 0;
    for (let looks = 0; looks < 30; looks += 1)
      most = Math.max(most, await memory().then((bytes) => new Promise<number>((resolve) => setTimeout(() => resolve(bytes), 100))));
    expect(most - before).toBeLessThan(100 * MIB);
    expect(slow.stderr).toBe('');
    slow.resume();
    expect(await slow.exit()).toMatchObject({ code: 0 });
    expect(slow.received).toBe(200 * MIB);
    expect(slow.stderr).toBe('done\n');
  });

  test('a process that does not read holds up its client, not the server', async () => {
    const { id } = await running({ command: ['sleep', '600'] });
    const before = await memory();
    const pushing = await exec(id, 'sleep 3; wc -c');
    const block = 'x'.repeat(MIB - 1);
    for (let count = 0; count < 200; count += 1) pushing.type(block);
    pushing.control({ type: 'stdin-end' });
    let most = 0;
    for (let looks = 0; looks < 20; looks += 1)
      most = Math.max(most, await memory().then((bytes) => new Promise<number>((resolve) => setTimeout(() => resolve(bytes), 100))));
    expect(most - before).toBeLessThan(100 * MIB);
    await pushing.exit();
    expect(Number(pushing.stdout)).toBe(200 * (MIB - 1));
  });

  test('a connection to the engine that breaks loses nothing and repeats nothing', async () => {
    const { id } = await running({ command: ['bash', '-c', 'for n in $(seq 400); do echo $n; sleep 0.01; done; exit 9'] });
    const staying = await open(`/api/sessions/${id}/attach`);
    const logs = fetch(new URL(`/api/sessions/${id}/logs?follow=true`, server.url), { headers: { authorization: `Bearer ${token}` } });
    for (const number of ['\n50\n', '\n150\n', '\n250\n']) {
      await staying.sees(number);
      proxy.cut();
    }
    expect(await staying.exit()).toMatchObject({ code: 9 });
    const counted = Array.from({ length: 400 }, (_, n) => `${n + 1}\n`).join('');
    expect(staying.stdout).toBe(counted);
    expect(await (await logs).text()).toBe(counted);
  });
});
