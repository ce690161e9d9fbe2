import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Found } from '../../src/domain/files/session-files.ts';
import { FILE_LIMITS } from '../../src/domain/files/limits.ts';
import { parseWorkPath } from '../../src/domain/files/work-path.ts';
import { EXAMPLE_SPEC, exampleSession } from '../../src/domain/sessions/example-session.ts';
import { ContainerFiles } from '../../src/inside/files/container-files.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { LocalShell } from '../support/local-shell.ts';
import { unpacked } from './unpacked.ts';

const SESSION = exampleSession({ state: 'running' });
const MIB = 1024 * 1024;
const PROGRAMS = ['busybox', 'cat', 'chmod', 'dd', 'mkdir', 'mv', 'readlink', 'rm', 'stat', 'tail', 'tar', 'wc'];
const at = (path: string) => parseWorkPath(path, SESSION);

/** Nobody's, where the tests are root's: root may read and write everything. */
const USER = process.getuid?.() === 0 ? 65_534 : undefined;
const give = (path: string): void => {
  if (USER !== undefined) chownSync(path, USER, USER);
};

/** Every shell of this machine that may be /bin/sh in an image; busybox brings its own programs. */
const SHELLS = [
  { name: 'sh', shell: ['sh'] },
  { name: 'bash as sh', shell: ['bash', '--posix'] },
  { name: 'busybox', shell: ['busybox', 'sh'] },
];

const bin = mkdtempSync(join(tmpdir(), 'berth-busybox-'));
beforeAll(() => {
  chmodSync(bin, 0o755);
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  for (const program of PROGRAMS) symlinkSync(busybox, join(bin, program));
});
afterAll(() => rmSync(bin, { recursive: true }));

describe.each(SHELLS)('files by $name', ({ name, shell }) => {
  const env = name === 'busybox' ? { PATH: bin } : process.env;
  let top: string;
  let work: string;
  let local: LocalShell;
  let files: ContainerFiles;
  beforeEach(() => {
    top = realpathSync(mkdtempSync(join(tmpdir(), 'berth-files-')));
    work = join(top, 'work');
    mkdirSync(work);
    writeFileSync(join(top, 'outside'), 'secret');
    for (const path of [top, work, join(top, 'outside')]) give(path);
    local = new LocalShell(work, { shell, env, uid: USER });
    files = new ContainerFiles(local as unknown as Runtime);
    return () => rmSync(top, { recursive: true });
  });

  const { signal } = new AbortController();
  const inWork = (path: string): string => join(work, path);
  const write = (path: string, content: AsyncIterable<Buffer> | string | Buffer, executable = false): Promise<number> => {
    const source = typeof content === 'string' || Buffer.isBuffer(content) ? Readable.from([Buffer.from(content)]) : content;
    return files.write(SESSION, { path: at(path), content: source, executable, signal });
  };
  const read = (path: string, naming: 'inner' | 'named' = 'inner'): Promise<Found> =>
    files.read(SESSION, { path: at(path), naming, signal });
  const bytesOf = async (path: string): Promise<Buffer> => buffer((await read(path)).content);
  const list = async (path = '.') => (await files.list(SESSION, at(path), signal)).entries;
  const refusal = (kind: string) => expect.objectContaining({ name: 'ProblemError', kind });
  async function packed(path: string, naming: 'inner' | 'named' = 'inner'): Promise<Record<string, string>> {
    const found = await read(path, naming);
    expect(found.kind).toBe('folder');
    return unpacked(found.content);
  }

  test('what was written is read again, byte for byte, and its size is told', async () => {
    const content = randomBytes(5 * MIB);
    expect(await write('deep/er/data.bin', content)).toBe(content.length);
    const found = await read('deep/er/data.bin');
    expect(found).toMatchObject({ kind: 'file', size: content.length, executable: false, modifiedAt: expect.any(Date) });
    expect((await buffer(found.content)).equals(content)).toBe(true);
    expect(await write('empty', '')).toBe(0);
    expect(await bytesOf('empty')).toHaveLength(0);
    expect(readdirSync(work)).toEqual(['deep', 'empty']);
  });

  test('any content and any name', async () => {
    const odd = fc.constantFrom(
      'a b',
      "it's",
      '"q"',
      '-rf',
      '--',
      '$(id)',
      '`id`',
      '*',
      '?',
      '[a]',
      '\\',
      'a\\nb',
      'new\nline',
      'ends\n',
      'tab\t',
      'ü€😀',
      '%s',
      ';',
      '&',
      '|',
      '#x',
      '~',
      '!',
      '.hidden',
      '...',
    );
    const names = fc.array(
      fc.oneof(
        odd,
        fc
          .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
          .filter((text) => !/[/\0]|^\.{1,2}$/.test(text) && text.isWellFormed() && Buffer.byteLength(text) <= 255),
      ),
      { minLength: 1, maxLength: 3 },
    );
    const content = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(names, content, async (path, bytes) => {
        rmSync(work, { recursive: true });
        mkdirSync(work);
        give(work);
        await write(path.join('/'), bytes);
        expect(readFileSync(join(work, ...path))).toEqual(bytes);
        expect(await bytesOf(path.join('/'))).toEqual(bytes);
        expect((await list(path.slice(0, -1).join('/'))).map((entry) => entry.name)).toEqual([path.at(-1)]);
        if (path.length > 1) expect(await packed(path.slice(0, -1).join('/'))).toMatchObject({ [`./${path.at(-1)}`]: bytes.toString() });
      }),
      { numRuns: 25 },
    );
  });

  test('a folder is an archive of what is in it, or with its own name; the work folder has none', async () => {
    for (const path of ['data/a', 'data/sub/b', '.hidden']) await write(path, path);
    symlinkSync('a', inWork('data/link'));
    const inner = { './': '(directory)', './a': 'data/a', './sub/': '(directory)', './sub/b': 'data/sub/b', './link': '(symlink)' };
    expect(await packed('data')).toEqual(inner);
    expect(await packed('data', 'named')).toEqual(
      Object.fromEntries(Object.entries(inner).map(([key, value]) => [`./data${key.slice(1)}`, value])),
    );
    expect(Object.keys(await packed('.', 'named'))).toEqual(expect.arrayContaining(['./', './.hidden', './data/a']));
    symlinkSync('data/sub', inWork('shortcut'));
    expect(await packed('shortcut', 'named')).toEqual({ './sub/': '(directory)', './sub/b': 'data/sub/b' });
  });

  test('a folder whose name programs would read otherwise is packed, too', async () => {
    for (const odd of ['a\\nb', '-C', '@x', 'new\nline']) {
      await write(`${odd}/f`, 'f');
      expect(await packed(odd, 'named')).toEqual({ [`./${odd}/`]: '(directory)', [`./${odd}/f`]: 'f' });
    }
  });

  test('a listing tells kind, size, mode and time, of hidden ones and of links themselves', async () => {
    await write('run', '12345', true);
    await write('.hidden', '');
    mkdirSync(inWork('folder'));
    symlinkSync('nowhere', inWork('dangling'));
    execFileSync('mkfifo', [inWork('pipe')]);
    expect(await list()).toMatchObject([
      { name: '.hidden', kind: 'file', size: 0 },
      { name: 'dangling', kind: 'link' },
      { name: 'folder', kind: 'folder', mode: expect.stringMatching(/^d/) },
      { name: 'pipe', kind: 'other', mode: expect.stringMatching(/^p/) },
      { name: 'run', kind: 'file', size: 5, mode: '-rwxr-xr-x', modifiedAt: expect.stringMatching(/^20/) },
    ]);
    expect(await list('folder')).toEqual([]);
  });

  test('a long listing ends, and says so', async () => {
    for (let count = 0; count < 250; count += 1) writeFileSync(inWork(`f${count}`), '');
    expect(await list()).toHaveLength(250);
    const short = new ContainerFiles(local as unknown as Runtime, { ...FILE_LIMITS, entries: 120 });
    const { entries, complete } = await short.list(SESSION, at('.'), signal);
    expect([entries.length, complete]).toEqual([120, false]);
  });

  test('a file is replaced as a whole and keeps its permissions; a link is replaced, not what it leads to', async () => {
    await write('run', 'one', true);
    await write('run', 'two');
    expect(lstatSync(inWork('run')).mode & 0o777).toBe(0o755);
    chmodSync(inWork('run'), 0o600);
    await write('run', 'two');
    expect(lstatSync(inWork('run')).mode & 0o777).toBe(0o600);
    await write('plain', 'p');
    expect(lstatSync(inWork('plain')).mode & 0o777).toBe(0o644);
    expect(await bytesOf('run')).toEqual(Buffer.from('two'));
    symlinkSync('../outside', inWork('link'));
    await write('link', 'mine');
    expect([readFileSync(inWork('link'), 'utf8'), readFileSync(join(top, 'outside'), 'utf8')]).toEqual(['mine', 'secret']);
  });

  test('links that lead out are refused, links that stay inside are not', async () => {
    await write('data/real', 'r');
    symlinkSync('data/real', inWork('good'));
    symlinkSync(inWork('data'), inWork('absolute'));
    symlinkSync('../outside', inWork('file'));
    symlinkSync('..', inWork('up'));
    symlinkSync('/', inWork('data/root'));
    expect(await bytesOf('good')).toEqual(Buffer.from('r'));
    expect(await bytesOf('absolute/real')).toEqual(Buffer.from('r'));
    for (const path of ['file', 'up', 'up/outside', 'data/root', 'data/root/etc/passwd', '/home/work/up/outside'])
      await expect(read(path)).rejects.toEqual(refusal('outside'));
    await expect(list('up')).rejects.toEqual(refusal('outside'));
    await expect(write('up/new', 'x')).rejects.toEqual(refusal('outside'));
    await expect(write('up/made/new', 'x')).rejects.toEqual(refusal('outside'));
    await expect(write('up', 'x')).rejects.toEqual(refusal('folder'));
    expect(readdirSync(top)).toEqual(['outside', 'work']);
  });

  test('a storage beside the work folder is reached, and what leads out of it is refused, into the work folder, too', async () => {
    const target = join(top, 'storage');
    mkdirSync(target);
    give(target);
    await write('private', 'p');
    symlinkSync('../work/private', join(target, 'link'));
    const session = exampleSession({ spec: { ...EXAMPLE_SPEC, mounts: [{ storageId: 's1', name: 'data', target, readOnly: false }] } });
    const path = (text: string) => parseWorkPath(`${target}/${text}`, session);
    await files.write(session, { path: path('sub/x'), content: Readable.from([Buffer.from('in a storage')]), executable: false, signal });
    const found = await files.read(session, { path: path('sub/x'), naming: 'inner', signal });
    expect((await buffer(found.content)).toString()).toBe('in a storage');
    expect((await files.list(session, path(''), signal)).entries.map((entry) => entry.name)).toEqual(['link', 'sub']);
    await expect(files.read(session, { path: path('link'), naming: 'inner', signal })).rejects.toEqual(refusal('outside'));
    rmSync(target, { recursive: true });
    await expect(files.list(session, path(''), signal)).rejects.toEqual(refusal('no-work-folder'));
  });

  test('the name of the work folder being the beginning of another name is no way out', async () => {
    mkdirSync(join(top, 'work-else'));
    writeFileSync(join(top, 'work-else/x'), 'secret');
    symlinkSync('../work-else', inWork('beside'));
    await expect(read('beside/x')).rejects.toEqual(refusal('outside'));
  });

  test('what is not there, not a file or not allowed is said as that', async () => {
    await write('file', 'x');
    mkdirSync(inWork('folder'));
    execFileSync('mkfifo', [inWork('pipe')]);
    symlinkSync('nowhere', inWork('dangling'));
    await expect(read('nothing')).rejects.toEqual(refusal('absent'));
    await expect(read('nothing/at/all')).rejects.toEqual(refusal('absent'));
    await expect(read('dangling')).rejects.toEqual(refusal('absent'));
    await expect(read('file/below')).rejects.toEqual(refusal('not-folder'));
    await expect(read('pipe')).rejects.toEqual(refusal('special'));
    await expect(list('file')).rejects.toEqual(refusal('not-folder'));
    await expect(list('nothing')).rejects.toEqual(refusal('absent'));
    await expect(write('folder', 'x')).rejects.toEqual(refusal('folder'));
    await expect(write('file/below', 'x')).rejects.toEqual(refusal('not-folder'));
    expect(readdirSync(inWork('folder'))).toEqual([]);
  });

  test('what its user may not read or write is refused in words', async () => {
    await write('closed/file', 'x');
    chmodSync(inWork('closed/file'), 0);
    await expect(read('closed/file')).rejects.toEqual(refusal('unreadable'));
    chmodSync(inWork('closed'), 0o500);
    await expect(write('closed/new', 'x')).rejects.toEqual(refusal('unwritable'));
    chmodSync(inWork('closed'), 0o700);
  });

  test('a full disk is said in its own words, and leaves nothing', async () => {
    const cramped = ['sh', '-c', 'ulimit -f 64; trap "" XFSZ; exec "$0" "$@"', ...shell];
    const full = new LocalShell(work, { shell: cramped, env: { PATH: `${env['PATH']}:${process.env['PATH']}` }, uid: USER });
    const limited = new ContainerFiles(full as unknown as Runtime);
    const writing = limited.write(SESSION, { path: at('big'), content: Readable.from([Buffer.alloc(MIB)]), executable: false, signal });
    await expect(writing).rejects.toMatchObject({ kind: 'unwritable', message: expect.stringMatching(/File too large/i) });
    expect(readdirSync(work)).toEqual([]);
  });

  test('content that breaks off changes nothing, and its error is the one that is heard', async () => {
    await write('kept', 'whole');
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(200_000);
      throw new Error('the client went away');
    }
    await expect(write('kept', broken())).rejects.toThrow('the client went away');
    await expect.poll(() => readdirSync(work)).toEqual(['kept']);
    expect(await bytesOf('kept')).toEqual(Buffer.from('whole'));
  });

  test('more than may be is refused while it comes', async () => {
    const small = new ContainerFiles(local as unknown as Runtime, { ...FILE_LIMITS, bytes: MIB });
    let given = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        given += 64 * 1024;
        yield Buffer.alloc(64 * 1024);
      }
    }
    await expect(small.write(SESSION, { path: at('big'), content: endless(), executable: false, signal })).rejects.toEqual(
      refusal('too-large'),
    );
    expect(given).toBeLessThan(3 * MIB);
    await expect.poll(() => readdirSync(work)).toEqual([]);
    writeFileSync(inWork('large'), Buffer.alloc(2 * MIB));
    await expect(small.read(SESSION, { path: at('large'), naming: 'inner', signal })).rejects.toEqual(refusal('too-large'));
    const { content } = await small.read(SESSION, { path: at('.'), naming: 'inner', signal });
    await expect(buffer(content)).rejects.toEqual(refusal('too-large'));
  });

  test('who does not go on is given up', async () => {
    const impatient = new ContainerFiles(local as unknown as Runtime, { ...FILE_LIMITS, stallMs: 50 });
    const silent = new Readable({ read: () => undefined });
    await expect(impatient.write(SESSION, { path: at('x'), content: silent, executable: false, signal })).rejects.toEqual(
      refusal('too-slow'),
    );
    await expect.poll(() => readdirSync(work)).toEqual([]);
  });

  test('a client that goes away ends the processes inside', async () => {
    const over = new AbortController();
    const silent = new Readable({ read: () => undefined });
    const writing = files.write(SESSION, { path: at('x'), content: silent, executable: false, signal: over.signal });
    await expect.poll(() => readdirSync(work)).toHaveLength(1);
    over.abort(new Error('gone'));
    await expect(writing).rejects.toThrow('gone');
    await expect.poll(() => readdirSync(work)).toEqual([]);
    await expect(files.read(SESSION, { path: at('.'), naming: 'inner', signal: over.signal })).rejects.toThrow('gone');
  });

  test('a file that grows is sent as it was, one that shrinks breaks off', async () => {
    writeFileSync(inWork('log'), Buffer.alloc(4 * MIB));
    const growing = await read('log');
    writeFileSync(inWork('log'), 'more', { flag: 'a' });
    expect(await buffer(growing.content)).toHaveLength(4 * MIB);
    const shrinking = await read('log');
    truncateSync(inWork('log'), 10);
    await expect(buffer(shrinking.content)).rejects.toEqual(refusal('changed'));
  });

  test('what cannot be packed breaks the archive off: it is never short without a word', async () => {
    await write('data/a', 'a');
    await write('data/b', 'b');
    chmodSync(inWork('data/b'), 0);
    await expect(packed('data')).rejects.toEqual(refusal('interrupted'));
  });

  test('who does not read holds up the process, not the server', async () => {
    writeFileSync(inWork('huge'), '');
    truncateSync(inWork('huge'), 512 * MIB);
    const before = process.memoryUsage.rss();
    const { content } = await read('huge');
    await content.iterator({ destroyOnReturn: false }).next();
    let received = 0;
    for await (const chunk of content as AsyncIterable<Buffer>) received += chunk.length;
    expect(received).toBeGreaterThan(500 * MIB);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MIB);
  });

  test('a link that is planted again and again while files are written and read is no way out', async () => {
    await write('real/file', 'inside');
    mkdirSync(join(top, 'else'));
    writeFileSync(join(top, 'else/file'), 'secret');
    give(join(top, 'else'));
    const over = new AbortController();
    const plant = (target: string): void => {
      symlinkSync(target, inWork('planted'));
      renameSync(inWork('planted'), inWork('data'));
    };
    plant('real');
    const planting = (async () => {
      for (let turn = 0; !over.signal.aborted; turn += 1) {
        plant(turn % 2 === 0 ? '../else' : 'real');
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let round = 0; round < 20; round += 1) {
      const got = await bytesOf('data/file').catch((error: unknown) => error);
      if (Buffer.isBuffer(got)) expect(got.toString()).toBe('inside');
      else expect(got).toEqual(refusal('outside'));
      await write('data/new', 'n').catch((error: unknown) => expect(error).toEqual(refusal('outside')));
    }
    over.abort();
    await planting;
    expect(readdirSync(join(top, 'else'))).toEqual(['file']);
  });
});
