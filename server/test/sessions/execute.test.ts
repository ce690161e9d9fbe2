import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, Run } from '@berth/contract';
import { BerthProcess } from '../support/berth-process.ts';
import { berth } from '../support/command-line.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { endAll, until } from '../support/until.ts';

describe.each(PLATFORMS)('code in a session on $name', ({ on, image: IMAGE }) => {
  let server: BerthProcess;
  let client: Client;
  let session: string;
  beforeAll(async () => {
    server = await BerthProcess.start({ ...on, env: { BERTH_DEFAULT_IMAGE: IMAGE } });
    client = await server.client();
    session = await runningOne();
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
  });

  const runningOne = async (env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const body = { image: IMAGE, pull: 'never' as const, command: ['sleep', '600'], env };
    const { id } = await client.createSession({ body });
    await until(client, id, 'running', ({ state }) => state === 'running');
    return id;
  };
  const hasEnded = ({ status }: Run): boolean => ['finished', 'exec-timeout', 'lost'].includes(status);
  /** From a first answer to the last, with all that was printed. */
  const follow = async (first: Run, of = session): Promise<Run> => {
    let last = first;
    const console = [...first.console];
    while (!hasEnded(last)) {
      last = await client.runInSession({ params: { session: of }, body: { mode: 'continue', runId: first.runId } });
      console.push(...last.console);
    }
    return { ...last, console };
  };
  const run = async (code: string, of = session): Promise<Run> =>
    follow(await client.runInSession({ params: { session: of }, body: { code } }), of);
  const printed = ({ console }: Run): string => console.map(({ text }) => text).join('');

  test('keeps its variables from run to run, and through a server that is killed', async () => {
    expect(await run('x = 41')).toMatchObject({ status: 'finished', exitCode: 0, console: [] });
    expect(printed(await run('x + 1'))).toBe('42\n');
    const begun = await client.runInSession({
      params: { session },
      body: { code: 'import os, time\nprint("begun", flush=True)\nwhile not os.path.exists("/tmp/go-on"): time.sleep(0.1)\nx + 2' },
    });
    await server.kill();
    await server.start();
    client = await server.client();
    expect(await berth(server, ['session', 'exec', session, '--', 'touch', '/tmp/go-on'])).toMatchObject({ code: 0 });
    expect(printed(await follow(begun))).toMatch(/43\n$/);
    expect(printed(await run('x'))).toBe('41\n');
  });

  test('runs as the user, in the work folder, and nobody sees it in the list of processes', async () => {
    const seen = await run('import glob, os\nos.getuid(), os.getcwd()');
    expect(printed(seen)).toMatch(/^\(1000, '\/home\/admin'\)\n$/);
    const { stdout } = await berth(server, ['session', 'exec', session, '--', 'sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
    expect(stdout).not.toContain('os.getuid()');
  });

  test('is interrupted, and goes on with its variables', async () => {
    await run('kept = 1');
    const begun = await client.runInSession({ params: { session }, body: { code: 'while True: pass', waitMs: 100 } });
    await client.interruptSession({ params: { session }, body: {} });
    const ended = await follow(begun);
    expect(ended).toMatchObject({ status: 'finished', raised: true });
    expect(printed(ended)).toMatch(/KeyboardInterrupt\n$/);
    expect(printed(await run('kept'))).toBe('1\n');
  });

  test('is given input, completed, and built', async () => {
    const asked = await client.runInSession({ params: { session }, body: { code: 'name = input("who? ")\nprint("hello", name)' } });
    expect(asked).toMatchObject({ status: 'waiting-input' });
    const told = await client.runInSession({ params: { session }, body: { mode: 'input', runId: asked.runId, code: 'Ada' } });
    expect(printed(await follow(told))).toBe('hello Ada\n');
    expect((await client.completeInSession({ params: { session }, body: { line: 'nam' } })).completions).toContain('name');
    const options = { build: 'echo built', exec: 'echo run; exit 3' };
    const batch = await follow(await client.runInSession({ params: { session }, body: { mode: 'batch', options } }));
    expect([printed(batch), batch.exitCode]).toEqual(['built\nrun\n', 3]);
  });

  test('comes whole, however much it prints', async () => {
    const ran = await run('for _ in range(20000): print("x" * 99)');
    expect(printed(ran)).toBe(`${'x'.repeat(99)}\n`.repeat(20_000));
  });

  test('is run from the command line, which ends as it does', async () => {
    expect(await berth(server, ['session', 'run', session, '-c', 'x = 1; print("out")'])).toMatchObject({ code: 0, stdout: 'out\n' });
    expect(await berth(server, ['session', 'run', session, '-'], { stdin: 'import sys\nprint(x)\nsys.exit(3)\n' })).toMatchObject({
      code: 3,
      stdout: '1\n',
    });
    expect(await berth(server, ['session', 'run', session, '-c', '1 / 0'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ZeroDivisionError') as string,
    });
  });

  test('is a shell script where there is no Python', async () => {
    // The image has it: one that cannot be run stands before it.
    const bare = await runningOne({ PATH: '/home/admin/bin:/usr/local/bin:/usr/bin:/bin' });
    const hide = String.raw`mkdir -p ~/bin; printf '#!/bin/sh\nexit 127\n' >~/bin/python3; chmod +x ~/bin/python3`;
    expect(await berth(server, ['session', 'exec', bare, '--', 'sh', '-c', hide])).toMatchObject({ code: 0 });
    const ran = await run('echo out; echo err >&2; exit 3', bare);
    expect(ran).toMatchObject({
      status: 'finished',
      exitCode: 3,
      console: [
        { stream: 'stdout', text: 'out\n' },
        { stream: 'stderr', text: 'err\n' },
      ],
    });
    const begun = await client.runInSession({ params: { session: bare }, body: { code: 'echo on; sleep 600', waitMs: 500 } });
    await client.interruptSession({ params: { session: bare }, body: {} });
    expect(await follow(begun, bare)).toMatchObject({ exitCode: 143 });
  });

  test('is lost with the session that is started again, and refused by one that has ended', async () => {
    const mortal = await runningOne();
    const begun = await client.runInSession({ params: { session: mortal }, body: { code: 'import time; time.sleep(600)', waitMs: 0 } });
    await client.restartSession({ params: { session: mortal }, body: {} });
    await until(client, mortal, 'restarted', ({ state, restarts }) => state === 'running' && restarts === 1);
    expect(await follow(begun, mortal)).toMatchObject({ status: 'lost', exitCode: 130, console: [] });
    await client.terminateSession({ params: { session: mortal }, body: {} });
    await expect(run('1', mortal)).rejects.toMatchObject({ code: 'wrong-state' });
  });
});
