import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainSpec } from '../runtime-conformance.ts';
import type { ContainerSpec } from '../runtime.ts';
import { failureToExecute } from '../bootstrap-step.ts';
import { BERTH_FOLDER, BOOTSTRAP, endedInBootstrap, escaped, gatedLaunch, IS_BOOTSTRAPPED, OPEN_GATE, programIn } from './gate.ts';
import { framed, FRAMED_END } from './stdin-framing.ts';

type Process = ChildProcessByStdio<Writable, Readable, null>;
const TERMINATION_LOG = '/dev/termination-log';

describe('the gate, in a shell of this machine', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'berth-gate-'))));
  afterEach(() => rm(folder, { recursive: true }));

  const here = (words: readonly string[]): string[] =>
    words.map((word) =>
      word
        .replaceAll('$$', '$')
        .replaceAll(BOOTSTRAP.folder, `${folder}/bootstrap`)
        .replaceAll(BERTH_FOLDER, folder)
        .replaceAll(TERMINATION_LOG, `${folder}/message`),
    );
  const run = ([program = '', ...args]: readonly string[]): Process => spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const start = (changes: Partial<ContainerSpec>): Process => {
    const { command = [], args = [] } = gatedLaunch(plainSpec('image', changes));
    return run(here([...command, ...args]));
  };
  const open = async (): Promise<void> => void (await once(run(here(OPEN_GATE)), 'exit'));
  const outcome = async (child: Process): Promise<{ code: unknown; output: string }> => {
    const [[code], output] = await Promise.all([once(child, 'exit'), text(child.stdout)]);
    return { code, output };
  };

  it('lets the process run once it is opened, in the place of the shell that waited', async () => {
    const child = start({ command: ['sh', '-c', 'echo $$; exit 3'] });
    const ended = outcome(child);
    await expect.poll(() => readFile(join(folder, 'pid'), 'utf8').catch(() => '')).not.toBe('');
    expect(child.exitCode).toBeNull();
    await open();
    expect(await ended).toEqual({ code: 3, output: `${child.pid}\n` });
  });

  it('may be opened before anybody waits, and again after', async () => {
    await open();
    await open();
    expect(await outcome(start({ command: ['echo', 'hi'] }))).toEqual({ code: 0, output: 'hi\n' });
    await open();
  });

  it.each([
    ['is missing', 'no-such-program', 127],
    ['may not be executed', '/etc/passwd', 126],
  ])('tells that a program %s', async (_, program, code) => {
    await open();
    expect((await outcome(start({ command: [program] }))).code).toBe(code);
    expect(failureToExecute(await readFile(join(folder, 'message'), 'utf8'))).toEqual({ code, program });
  });

  it('tells nothing of a program that ends with such a code by itself', async () => {
    await open();
    expect((await outcome(start({ command: ['sh', '-c', 'exit 127'] }))).code).toBe(127);
    await expect(readFile(join(folder, 'message'), 'utf8')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  describe('with a bootstrap script', () => {
    const lastWords = () => readFile(join(folder, 'message'), 'utf8');
    const scripted = async (bootstrapScript: string, changes: Partial<ContainerSpec> = {}): Promise<Process> => {
      await mkdir(join(folder, 'bootstrap'));
      await writeFile(join(folder, 'bootstrap', BOOTSTRAP.file), bootstrapScript, { mode: 0o555 });
      return start({ bootstrapScript, ...changes });
    };
    const isBootstrapped = async (): Promise<boolean> => (await outcome(run(here(IS_BOOTSTRAPPED)))).code === 0;

    it('runs it before the command, without the input of that, once the gate is open', async () => {
      const child = await scripted('echo first; cat', { command: ['cat'], stdin: 'open' });
      child.stdin.end('second\n');
      expect(await isBootstrapped()).toBe(false);
      await open();
      expect(await outcome(child)).toEqual({ code: 0, output: 'first\nsecond\n' });
      expect(await isBootstrapped()).toBe(true);
      expect(endedInBootstrap(await lastWords())).toBe(false);
    });

    it('ends with it where it fails, and says that it was that', async () => {
      await open();
      const child = await scripted('echo tried; exit 3', { command: ['echo', 'never'] });
      expect(await outcome(child)).toEqual({ code: 3, output: 'tried\n' });
      expect(await isBootstrapped()).toBe(false);
      expect(endedInBootstrap(await lastWords())).toBe(true);
    });

    it('says so, too, of one that was killed in the middle', async () => {
      await open();
      const child = await scripted('echo at it; exec sleep 5', { command: ['echo', 'never'] });
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(endedInBootstrap(await lastWords())).toBe(true);
    });

    it('hands it to the interpreter that it names', async () => {
      await open();
      const child = await scripted('#!/usr/bin/env bash\n[[ $BASH_VERSION ]] && echo bash', { command: ['true'] });
      expect(await outcome(child)).toEqual({ code: 0, output: 'bash\n' });
    });

    it('still tells that the program is missing', async () => {
      await open();
      expect((await outcome(await scripted('true', { command: ['no-such-program'] }))).code).toBe(127);
      expect(failureToExecute(await lastWords())).toEqual({ code: 127, program: 'no-such-program' });
    });
  });

  it('hands framed input on, byte by byte, and its end, though the connection stays', async () => {
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 256));
    const child = start({ command: ['sh', '-c', 'cksum; echo end'], stdin: 'once' });
    const reference = run(['cksum']);
    const outcomes = Promise.all([outcome(child), outcome(reference)]);
    child.stdin.write(Buffer.concat([framed(bytes), FRAMED_END]));
    reference.stdin.end(bytes);
    await open();
    const [decoded, plain] = await outcomes;
    expect(decoded.output).toBe(`${plain.output}end\n`);
    child.stdin.destroy();
  });
});

describe('words for the kubelet', () => {
  it('come through its search for variables as they are', () => {
    // What the kubelet makes of "$$", and leaves of anything else that names no variable.
    const kubelet = (word: string): string => word.replaceAll('$$', '$');
    for (const word of ['$(HOME)', '$$(HOME)', 'a$', '$@ "$1" $$ $(date)']) expect(kubelet(escaped(word))).toBe(word);
  });

  it('are told apart from those that hold the gate', () => {
    const spec = plainSpec('image', { command: ['echo', '$(HOME)'] });
    expect(programIn(gatedLaunch(spec))).toEqual(['echo', '$(HOME)']);
    expect(programIn({ args: ['only', 'arguments'] })).toEqual([]);
  });
});

it.each([
  [undefined, undefined],
  ['', undefined],
  ['143 sleep\n', undefined],
  ['127 x\nsomething else', undefined],
  ['127 a program\n', { code: 127, program: 'a program' }],
])('reads %j in a termination message', (message, failure) => {
  expect(failureToExecute(message)).toEqual(failure);
});
