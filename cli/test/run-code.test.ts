import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runInProcess } from './in-process.ts';
import { freshEnvironment, run, start } from './run-berth.ts';
import { StandInServer } from './stand-in-server.ts';

let server: StandInServer;
let env: NodeJS.ProcessEnv;
let folder: string;
beforeEach(async () => {
  server = await new StandInServer().listen();
  env = freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token });
  folder = mkdtempSync(join(tmpdir(), 'berth-code-'));
  server.run(server.add({ name: 'train' }).id);
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

const berth = (...args: string[]) => runInProcess(['session', ...args], env);
const out = (text: string) => ({ stream: 'stdout', text }) as const;
const err = (text: string) => ({ stream: 'stderr', text }) as const;
const FINISHED = { status: 'finished', exitCode: 0 } as const;

describe('what is run', () => {
  test('is given on the command line, and its output comes on both streams', async () => {
    server.runs.answers.push({ console: [out('a\n'), err('b\n')] }, { ...FINISHED, console: [out('c\n')] });
    expect(await berth('run', 'train', '-c', 'x = 1')).toEqual({ code: 0, stdout: 'a\nc\n', stderr: 'b\n' });
    const [first, second] = server.runs.asked;
    expect([first?.mode, first?.code, second?.mode]).toEqual(['query', 'x = 1', 'continue']);
    expect(first?.runId).toMatch(/^[\w-]{8,64}$/);
    expect(second?.runId).toBe(first?.runId);
  });

  test('is in a file, or comes by stdin', async () => {
    writeFileSync(join(folder, 'train.py'), 'print(1)\n');
    server.runs.answers.push(FINISHED, FINISHED);
    expect((await berth('run', 'train', join(folder, 'train.py'))).code).toBe(0);
    expect((await run(['session', 'run', 'train', '-'], env, 'print(2)\n')).code).toBe(0);
    expect(server.runs.asked.map(({ code }) => code)).toEqual(['print(1)\n', 'print(2)\n']);
  });

  test('is a batch of shell commands', async () => {
    server.runs.answers.push({ status: 'build-finished', exitCode: 0 }, { status: 'finished', exitCode: 3 });
    expect((await berth('run', 'train', '--build', '*', '--exec', './main', '--timeout', '90s')).code).toBe(3);
    expect(server.runs.asked[0]).toMatchObject({ mode: 'batch', options: { build: '*', exec: './main' }, timeout: 90_000 });
  });

  test.each([
    [['run', 'train'], /in one way/],
    [['run', 'train', 'file.py', '-c', '1'], /in one way/],
    [['run', 'train', '-c', '1', '--exec', 'true'], /in one way/],
    [['run', 'train', '/no/such/file.py'], /"\/no\/such\/file.py" cannot be read/],
  ])('%j is a mistake in the command, and nothing is run', async (args, message) => {
    const { code, stderr } = await berth(...args);
    expect([code, server.runs.asked]).toEqual([2, []]);
    expect(stderr).toMatch(message);
  });
});

describe('the exit code', () => {
  test.each([
    ['is the code’s own', { status: 'finished', exitCode: 7 }, 7],
    ['is 1 where it raised', { status: 'finished', exitCode: 0, raised: true }, 1],
    ['is 124 when its time was up', { status: 'exec-timeout', exitCode: 124 }, 124],
    ['is 1 when its session has gone', { status: 'lost', exitCode: 130 }, 1],
  ] as const)('%s', async (_, answer, code) => {
    server.runs.answers.push(answer);
    expect((await berth('run', 'train', '-c', '1')).code).toBe(code);
  });
});

test('input is taken line by line from stdin; where there is none, the code is interrupted', async () => {
  server.runs.answers.push({ status: 'waiting-input' }, { status: 'waiting-input', isPassword: true }, { status: 'waiting-input' });
  const ran = await run(['session', 'run', 'train', '-c', 'input()'], env, 'one\ntwo\n');
  expect(server.runs.asked.slice(1).map(({ mode, code }) => [mode, code])).toEqual([
    ['input', 'one'],
    ['input', 'two'],
  ]);
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('asks for input') as string });
  expect(server.runs.interrupts).toBe(1);
});

test('Ctrl+C interrupts the code, and its end is waited for', async () => {
  server.runs.answers.push({ console: [out('on\n')] });
  const running = start(['session', 'run', 'train', '-c', 'while True: pass'], env);
  await running.prints(/on\n/, 'stdout');
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 130 });
  expect(server.runs.interrupts).toBe(1);
});

test('a server that is started again in between is waited for, and the code is asked for under the same id', async () => {
  server.runs.answers.push({ console: [out('before\n')] });
  const running = start(['session', 'run', 'train', '-c', '1'], env);
  await running.prints(/before\n/, 'stdout');
  await server.stop();
  server.runs.answers.push({ ...FINISHED, console: [out('after\n')] });
  await server.listen();
  expect(await running.ended).toMatchObject({ code: 0, stdout: 'before\nafter\n' });
  expect(new Set(server.runs.asked.map(({ runId }) => runId)).size).toBe(1);
});

test('--json tells every answer that has something new, one per line', async () => {
  server.runs.answers.push({}, { console: [out('a')] }, FINISHED);
  const { stdout } = await berth('run', 'train', '-c', '1', '--json');
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  ).toMatchObject([{ status: 'continued', console: [out('a')] }, { status: 'finished' }]);
});

test('an interrupt of its own says what it did', async () => {
  expect(await berth('interrupt', 'train')).toMatchObject({ code: 0, stdout: 'What ran in train is interrupted.\n' });
  expect(server.runs.interrupts).toBe(1);
});
