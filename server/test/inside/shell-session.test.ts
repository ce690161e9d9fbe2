import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LocalContainer } from '../support/local-container.ts';
import { Coder, isWithinLimit, textOf } from './coder.ts';

/** A container without Python. */
let container: LocalContainer;
let coder: Coder;
beforeAll(async () => {
  container = await LocalContainer.make({ python: false });
  coder = new Coder(container);
});
afterAll(() => container.remove());

const release = (name: string): Promise<void> => writeFile(join(container.work, name), '');
const appears = async (name: string): Promise<void> =>
  expect.poll(() => existsSync(join(container.work, name)), { timeout: 30_000 }).toBe(true);
const waitFor = (name: string): string => `while [ ! -e ${name} ]; do sleep 0.02; done\n`;

describe('with a shell only, code', () => {
  test('is a script of its own, with both streams and an exit code', async () => {
    expect(await coder.run('here=1\necho "a  b" \\\\; echo oops >&2; pwd; exit 3')).toMatchObject({
      status: 'finished',
      exitCode: 3,
      raised: false,
      stdout: `a  b \\\n${container.work}\n`,
      stderr: 'oops\n',
    });
    expect((await coder.run('echo "[$here]"')).stdout).toBe('[]\n');
    expect((await coder.run('no-such-program')).exitCode).toBe(127);
    expect(await coder.run('')).toMatchObject({ exitCode: 0, console: [] });
  });

  test('reads an empty input, and is given none', async () => {
    expect((await coder.run('cat; echo end')).stdout).toBe('end\n');
    await expect(coder.ask({ mode: 'input', runId: 'any', code: 'x' })).rejects.toMatchObject({ code: 'wrong-state' });
    await expect(coder.ask({ code: 'true', timeoutMs: 1000 })).rejects.toMatchObject({ code: 'invalid-field' });
  });

  test('is told while it runs, characters whole', async () => {
    const first = await coder.ask({ code: `printf 'one \\303'\n${waitFor('half')}printf '\\251 two\\n'` }, { waitMs: 2000 });
    expect(first).toMatchObject({ status: 'continued', exitCode: null, console: [{ stream: 'stdout', text: 'one ' }] });
    await release('half');
    expect((await coder.follow(first)).stdout).toBe('one é two\n');
  });

  test('is told complete however much it prints, no answer larger than it may be', async () => {
    const ran = await coder.run(`yes ${'x'.repeat(99)} | head -n 20000; echo end >&2`);
    expect(ran.stdout).toBe(`${'x'.repeat(99)}\n`.repeat(20_000));
    expect(ran.stderr).toBe('end\n');
    expect(ran.answers.filter((answer) => !isWithinLimit(answer))).toEqual([]);
  });

  test.each([
    ['a sleep', 'echo on; sleep 600'],
    ['a busy loop', 'echo on; while :; do :; done'],
  ])('is interrupted in %s', async (_, code) => {
    const first = await coder.ask({ code }, { waitMs: 2000 });
    expect(first.console).toEqual([{ stream: 'stdout', text: 'on\n' }]);
    await coder.executor.interrupt(coder.session, null);
    expect(await coder.follow(first)).toMatchObject({ status: 'finished', exitCode: 143 });
    await coder.executor.interrupt(coder.session, null);
  });

  test('completes to nothing', async () => expect(await coder.executor.complete(coder.session, 'ec')).toEqual([]));
});

describe('with a shell only, runs', () => {
  test('come one after the other; one that was interrupted before its turn is not run', async () => {
    const first = await coder.ask({ code: `${waitFor('first')}echo first >> order` }, { waitMs: 0 });
    const second = await coder.ask({ code: 'echo second >> order' }, { waitMs: 0 });
    const never = await coder.ask({ code: 'echo never >> order' }, { waitMs: 0 });
    const last = await coder.ask({ code: 'cat order' }, { waitMs: 0 });
    await coder.executor.interrupt(coder.session, never.runId);
    await release('first');
    expect((await coder.follow(last)).stdout).toBe('first\nsecond\n');
    expect(await coder.follow(never)).toMatchObject({ exitCode: 130 });
    for (const run of [first, second]) expect(await coder.follow(run)).toMatchObject({ exitCode: 0 });
  });

  test('that are asked for again are not run again; another one needs another id', async () => {
    const asked = { runId: 'my run/1', code: `echo time >> times\n${waitFor('again')}cat times` };
    const [first] = await Promise.all([coder.ask(asked, { waitMs: 0 }), coder.ask(asked, { waitMs: 0 }), coder.ask(asked, { waitMs: 0 })]);
    await expect(coder.ask({ ...asked, code: 'other' })).rejects.toMatchObject({ code: 'invalid-field' });
    await release('again');
    expect((await coder.follow(first)).stdout).toBe('time\n');
    expect((await coder.run('echo free', { runId: 'my run/1' })).stdout).toBe('free\n');
  });

  test('go on without a server, and are told to the next one', async () => {
    const first = await coder.ask({ code: 'echo unheard; touch printed' }, { waitMs: 0 });
    await appears('printed');
    const other = new Coder(container);
    const rest = await other.follow(await other.ask({ mode: 'continue', runId: first.runId }));
    expect(textOf(first.console, 'stdout') + rest.stdout).toBe('unheard\n');
  });

  test('that nobody knows, or that were killed, are lost', async () => {
    expect(await coder.ask({ mode: 'continue', runId: 'never-was' })).toMatchObject({ status: 'lost', exitCode: 130 });
    const { runId } = await coder.ask({ code: 'sleep 600' }, { waitMs: 0 });
    await container.stop();
    expect(await coder.ask({ mode: 'continue', runId })).toMatchObject({ status: 'lost', exitCode: 130 });
    expect((await coder.run('echo after')).stdout).toBe('after\n');
  });
});

describe('with a shell only, a batch', () => {
  test('runs its steps in order, and ends with the last code', async () => {
    const batch = { clean: "echo 'clean it'; false", build: 'echo build', exec: 'echo run; exit 3' };
    const ran = await coder.follow(await coder.ask({ mode: 'batch', batch }));
    expect(ran).toMatchObject({ exitCode: 3, stdout: 'clean it\nbuild\nrun\n' });
  });

  test('that cannot be built ends with 127', async () => {
    const batch = { build: 'exit 2', exec: 'echo never' };
    expect(await coder.follow(await coder.ask({ mode: 'batch', batch }))).toMatchObject({ exitCode: 127, stdout: '' });
  });
});
