import type { Client, CreateSessionInput, Session } from '@berth/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BerthProcess } from '../support/berth-process.ts';
import { ENGINES } from '../support/engines.ts';
import { endAll, hasEnded, until } from '../support/until.ts';
import { AttachClient } from './attach-client.ts';

const IMAGE = `docker://${process.env['BERTH_TEST_IMAGE'] ?? 'dev/debian:latest'}`;
const SIZE = { rows: 30, cols: 100 };

describe.each(ENGINES)('attach, exec and logs on $name', ({ host }) => {
  let server: BerthProcess;
  let client: Client;
  let token: string;
  beforeAll(async () => {
    server = await BerthProcess.start({ dockerHost: host });
    client = await server.client();
    token = await server.token();
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
  });

  const create = (more: CreateSessionInput): Promise<Session> => client.createSession({ body: { image: IMAGE, pull: 'never', ...more } });
  const running = async (more: CreateSessionInput): Promise<Session> =>
    until(client, (await create(more)).id, 'running', ({ state }) => state === 'running');
  const shell = (script: string): string[] => ['bash', '-c', script];
  const attach = (id: string, query: Record<string, string | number | boolean> = {}) =>
    AttachClient.open({ url: server.url, token }, `/api/sessions/${id}/attach`, query);
  const exec = (id: string, command: string[], query: Record<string, string | number | boolean> = {}) =>
    AttachClient.open({ url: server.url, token }, `/api/sessions/${id}/exec`, { command: JSON.stringify(command), ...query });
  const logs = async (id: string, query = ''): Promise<string> => {
    const response = await fetch(new URL(`/api/sessions/${id}/logs${query}`, server.url), {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    return response.text();
  };
  const counted = (count: number): string => Array.from({ length: count }, (_, n) => `${n + 1}\n`).join('');

  test('who waits from the beginning sees every byte of both streams, and the exit code', async () => {
    const { id } = await create({ command: shell('seq 20000; echo oops >&2; exit 3') });
    const client1 = await attach(id);
    expect(await client1.exit()).toMatchObject({ code: 3, cause: null });
    expect(client1.stdout).toBe(counted(20_000));
    expect(client1.stderr).toBe('oops\n');
    expect(client1.controls.at(0)).toMatchObject({ type: 'status' });
  });

  test('who comes in the middle of a flood sees all of it once', async () => {
    const { id } = await running({
      command: shell('for n in $(seq 3000); do echo $n; [ $((n % 100)) = 0 ] && sleep 0.02; done; sleep 0.2'),
    });
    const clients = [];
    for (let count = 0; count < 5; count += 1) clients.push(await attach(id));
    for (const each of clients) {
      expect(await each.exit()).toMatchObject({ code: 0 });
      expect(each.stdout).toBe(counted(3_000));
    }
  });

  test('who comes after the end sees what was kept, and how it ended', async () => {
    const { id } = await create({ command: shell('echo out; echo err >&2; exit 4') });
    await until(client, id, 'ended', hasEnded);
    const late = await attach(id);
    expect(await late.exit()).toMatchObject({ code: 4 });
    expect(late).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });

  test('input typed before the session runs reaches it, and its end ends it', async () => {
    const { id } = await create({ command: ['cat'], stdin: 'once' });
    const typing = await attach(id);
    typing.type('hi\n');
    typing.control({ type: 'stdin-end' });
    expect(await typing.exit()).toMatchObject({ code: 0 });
    expect(typing.stdout).toBe('hi\n');
  });

  test('a megabyte of input comes back whole', async () => {
    const { id } = await create({ command: ['cat'], stdin: 'once' });
    const typing = await attach(id);
    const text = 'x'.repeat(65_535) + '\n';
    for (let count = 0; count < 40; count += 1) typing.type(text);
    typing.control({ type: 'stdin-end' });
    await typing.exit();
    expect(typing.stdout.length).toBe(40 * 65_536);
  });

  test('only the first client types into a session whose input is open once; a looker-on that leaves does not end it', async () => {
    const { id } = await running({ command: ['cat'], stdin: 'once' });
    const owner = await attach(id);
    await owner.attached();
    const looker = await attach(id);
    await looker.attached();
    looker.type('not mine\n');
    looker.vanish();
    owner.type('mine\n');
    await owner.sees('mine');
    owner.control({ type: 'stdin-end' });
    await owner.exit();
    expect(owner.stdout).toBe('mine\n');
  });

  test("a terminal has the client's size, follows it, and outlives the client", async () => {
    const { id } = await create({ command: ['bash', '--norc'], tty: true, stdin: 'open', env: { PS1: 'ready> ' } });
    const first = await attach(id, SIZE);
    await first.sees('ready> ');
    first.type('stty size\r');
    await first.sees('30 100');
    first.control({ type: 'resize', rows: 40, cols: 120 });
    // However long a busy engine takes to pass it on.
    first.type('until [ "$(stty size)" = "40 120" ]; do sleep 0.1; done; echo resized-$((1 + 1))\r');
    await first.sees('resized-2');
    first.type('echo left-$((40 + 2))\r');
    await first.sees('left-42');
    first.vanish();
    const [second, third] = [await attach(id, SIZE), await attach(id, SIZE)];
    await second.sees('left-42');
    await third.sees('left-42');
    // Podman answers before it passes output on: what is printed in that moment may miss the newest client.
    const typed = (): string => {
      second.type('echo both-$((1 + 1))\r');
      return third.stdout;
    };
    await expect.poll(typed, { timeout: 60_000, interval: 500 }).toMatch(/both-2/);
    await second.sees('both-2');
    second.type('exit 7\r');
    expect(await second.exit()).toMatchObject({ code: 7 });
    expect(await third.exit()).toMatchObject({ code: 7 });
  });

  test("a command that asks for the terminal's size at once is told the client's", async () => {
    const { id } = await create({
      command: shell('until [ "$(stty size)" != "0 0" ]; do sleep 0.1; done; stty size'),
      tty: true,
      stdin: 'open',
    });
    const asking = await attach(id, SIZE);
    await asking.exit();
    expect(asking.stdout).toContain('30 100');
  });

  test("a restart while attached goes on with the new process, whose output follows the old one's", async () => {
    const { id } = await running({ command: shell('echo begun; sleep 600') });
    const staying = await attach(id);
    await staying.sees(/^begun\n$/);
    await client.restartSession({ params: { session: id }, body: {} });
    await staying.sees(/^begun\nbegun\n$/);
    await client.terminateSession({ params: { session: id }, body: {} });
    await staying.exit();
    expect(staying.stdout).toBe('begun\nbegun\n');
    expect(await logs(id)).toBe('begun\nbegun\n');
  });

  test('a cancelled session says so to who waits for it', async () => {
    await using blocked = await blockNode();
    const waiting = await attach(blocked.waiting.id);
    await expect.poll(() => waiting.controls.length).toBeGreaterThan(0);
    expect(waiting.controls[0]).toMatchObject({ type: 'status', state: 'pending' });
    await client.terminateSession({ params: { session: blocked.waiting.id }, body: {} });
    expect(await waiting.exit()).toMatchObject({ code: 1, cause: null });
  });

  /** Two sessions that want every CPU: the second waits. */
  async function blockNode(): Promise<AsyncDisposable & { waiting: Session }> {
    const cpu = (await client.listNodes({ query: {} })).items[0]?.capacity.cpu ?? 1;
    const holder = await running({ command: ['sleep', '600'], resources: { cpu } });
    const waiting = await create({ command: ['true'], resources: { cpu } });
    return {
      waiting,
      [Symbol.asyncDispose]: async () => void (await client.terminateSession({ params: { session: holder.id }, body: {} })),
    };
  }

  test('a command that is not there ends with 127 for who is attached', async () => {
    const { id } = await create({ command: ['no-such-command'] });
    expect(await (await attach(id)).exit()).toMatchObject({ code: 127, cause: { code: 'command-not-found' } });
  });

  test('exec runs beside the main process: streams apart, exit code, input to its end, own terminal', async () => {
    const { id } = await running({ command: ['sleep', '600'] });
    const script = await exec(id, shell('echo out; echo err >&2; exit 5'));
    expect(await script.exit()).toMatchObject({ code: 5 });
    expect(script).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
    const cat = await exec(id, ['wc', '-c']);
    cat.type('12345');
    cat.control({ type: 'stdin-end' });
    await cat.exit();
    expect(cat.stdout.trim()).toBe('5');
    const missing = await exec(id, ['no-such-command']);
    expect(await missing.exit()).toMatchObject({ code: 127 });
    const terminal = await exec(id, [], { tty: true, ...SIZE });
    terminal.type('stty size; exit 6\r');
    expect(await terminal.exit()).toMatchObject({ code: 6 });
    expect(terminal.stdout).toContain('30 100');
    expect(await client.getSession({ params: { session: id } })).toMatchObject({ state: 'running' });
  });

  test('a process added to a session is hung up when its client vanishes', async () => {
    const { id } = await running({ command: ['sleep', '600'] });
    const lost = await exec(id, shell('echo up; exec sleep 12345'), { tty: true, ...SIZE });
    await lost.sees('up');
    lost.vanish();
    await expect
      .poll(
        async () => {
          const look = await exec(id, shell('pgrep -cf "^sleep 12345" || true'));
          await look.exit();
          return look.stdout.trim();
        },
        { timeout: 30_000 },
      )
      .toBe('0');
  });

  test('logs: tail, one stream, and following to the very end', async () => {
    const { id } = await running({ command: shell('seq 5; echo err >&2; sleep 1; seq 6 5000; exit 0') });
    const [followed, tailed] = await Promise.all([logs(id, '?follow=true&stream=stdout'), logs(id, '?follow=true&tail=0&stream=stdout')]);
    expect(followed).toBe(counted(5_000));
    expect(followed.endsWith(tailed)).toBe(true);
    expect(await logs(id, '?stream=stderr')).toBe('err\n');
    expect(await logs(id, '?stream=stdout&tail=2')).toBe('4999\n5000\n');
    await until(client, id, 'ended', hasEnded);
    expect(await logs(id, '?stream=stdout')).toBe(counted(5_000));
    expect(await logs(id, '?stream=stdout&tail=1')).toBe('5000\n');
    expect(await logs(id, '?stream=stdout&follow=true&tail=1')).toBe('5000\n');
  });

  test('logs of a session that waits are empty, and following waits for it', async () => {
    await using blocked = await blockNode();
    expect(await logs(blocked.waiting.id)).toBe('');
    const following = logs(blocked.waiting.id, '?follow=true');
    await client.terminateSession({ params: { session: blocked.waiting.id }, body: {} });
    expect(await following).toBe('');
  });

  test('following goes on over a restart', async () => {
    const { id } = await running({ command: shell('echo begun; trap "exit 0" TERM; while :; do sleep 0.1; done') });
    const [whole, tail] = [logs(id, '?follow=true'), logs(id, '?follow=true&tail=1')];
    await client.restartSession({ params: { session: id }, body: {} });
    await until(client, id, 'restarted', ({ state, restarts }) => state === 'running' && restarts === 1);
    await expect.poll(() => logs(id)).toBe('begun\nbegun\n');
    await client.terminateSession({ params: { session: id }, body: {} });
    expect(await whole).toBe('begun\nbegun\n');
    expect(await tail).toBe('begun\nbegun\n');
  });

  test('a stopping server tells its clients to come again, and they find the same shell', async () => {
    const { id } = await create({ command: ['bash', '--norc'], tty: true, stdin: 'open', env: { PS1: 'ready> ' } });
    const before = await attach(id, SIZE);
    await before.sees('ready> ');
    before.type('X=kept-$((1 + 1)); echo $X\r');
    await before.sees('kept-2');
    await server.stop();
    expect(await before.closed).toBe(1012);
    await server.start();
    const after = await attach(id, SIZE);
    await after.sees('kept-2');
    after.type('echo again-$X; exit\r');
    await after.exit();
    expect(after.stdout).toContain('again-kept-2');
  });
});
