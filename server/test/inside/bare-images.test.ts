import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { parseWorkPath } from '../../src/domain/files/work-path.ts';
import { exampleSession } from '../../src/domain/sessions/example-session.ts';
import { ContainerFiles } from '../../src/inside/files/container-files.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { LocalShell } from '../support/local-shell.ts';

const SESSION = exampleSession({ state: 'running' });
const at = (path: string) => parseWorkPath(path, SESSION);

describe('images that lack something', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bare-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const signal = new AbortController().signal;
  const filesWith = (programs: readonly string[], shell = ['/bin/sh']) => {
    const path = mkdtempSync(join(folder, 'bin-'));
    for (const program of programs)
      symlinkSync(execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim(), join(path, program));
    const work = mkdtempSync(join(folder, 'work-'));
    writeFileSync(join(work, 'file'), 'text');
    return new ContainerFiles(new LocalShell(work, { shell, env: { PATH: path } }) as unknown as Runtime);
  };

  test('without tar files are read, folders are not, and what lacks is named', async () => {
    const files = filesWith(['cat', 'stat', 'readlink']);
    const { content } = await files.read(SESSION, { path: at('file'), naming: 'inner', signal });
    expect((await buffer(content)).toString()).toBe('text');
    await expect(files.read(SESSION, { path: at('.'), naming: 'inner', signal })).rejects.toThrow(
      /lacks a program that this takes \(tar\)/,
    );
  });

  test('without a shell it is the shell that is named', async () => {
    const files = filesWith([], ['/no/such/shell']);
    await expect(files.list(SESSION, at('.'), signal)).rejects.toThrow(/\(\/bin\/sh\)/);
  });
});
