import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { outcomeOf } from './outcome-of.ts';
import type { Terminal } from './runtime.ts';

const LONG_MS = 60_000;
const LIMITS = { withinMs: LONG_MS, mostBytes: 10 };

/** A process whose streams the test holds; closing it ends it. */
function processOf(): { terminal: Terminal; stdout: PassThrough; exit: (code: number) => void; closed: () => boolean } {
  const stdout = new PassThrough();
  const { promise: exited, resolve } = Promise.withResolvers<number | undefined>();
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    stdout.end();
    resolve(undefined);
  };
  const terminal = { stdin: new PassThrough(), stdout, stderr: new PassThrough(), exited, resize: async () => undefined, close };
  const exit = (code: number): void => {
    stdout.end();
    resolve(code);
  };
  return { terminal, stdout, exit, closed: () => isClosed };
}

test('is what it prints, and its exit code', async () => {
  const { terminal, stdout, exit, closed } = processOf();
  stdout.write('hi');
  exit(3);
  expect(await outcomeOf(terminal, LIMITS)).toEqual({ told: 'hi', exitCode: 3 });
  await expect.poll(closed).toBe(true);
});

test('is not waited for any longer once enough is told', async () => {
  const { terminal, stdout, closed } = processOf();
  stdout.write('open\n');
  expect(await outcomeOf(terminal, { ...LIMITS, isEnough: (told) => told.includes('open\n') })).toMatchObject({ told: 'open\n' });
  await expect.poll(closed).toBe(true);
});

test('is nothing of one that does not end, or ends only its streams', async () => {
  const [sleeping, silent] = [processOf(), processOf()];
  silent.stdout.end();
  expect(await outcomeOf(sleeping.terminal, { ...LIMITS, withinMs: 1 })).toBeUndefined();
  expect(await outcomeOf(silent.terminal, { ...LIMITS, withinMs: 1 })).toBeUndefined();
  await expect.poll(() => sleeping.closed() && silent.closed()).toBe(true);
});

test('is nothing of one that prints too much, which is not read on', async () => {
  const { terminal, stdout, closed } = processOf();
  stdout.write('x'.repeat(11));
  expect(await outcomeOf(terminal, LIMITS)).toBeUndefined();
  await expect.poll(closed).toBe(true);
});

test('is nothing of one that connects too late, and that one is closed', async () => {
  const { terminal, closed } = processOf();
  const { promise, resolve } = Promise.withResolvers<Terminal>();
  expect(await outcomeOf(promise, { ...LIMITS, withinMs: 1 })).toBeUndefined();
  resolve(terminal);
  await expect.poll(closed).toBe(true);
});

test('fails as the connection does', async () => {
  await expect(outcomeOf(Promise.reject(new Error('gone')), LIMITS)).rejects.toThrow('gone');
});
