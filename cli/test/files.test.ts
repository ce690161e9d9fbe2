import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pack, type Header } from 'tar-stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runInProcess } from './in-process.ts';
import { freshEnvironment, temporaryFolder } from './run-berth.ts';
import { StandInServer } from './stand-in-server.ts';

let server: StandInServer;
let env: NodeJS.ProcessEnv;
let here: string;

beforeEach(async () => {
  server = await new StandInServer().listen();
  env = freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token });
  here = temporaryFolder();
  server.run(server.add({ name: 'train' }).id);
});
afterEach(() => server.stop());

const berth = (...args: string[]) => runInProcess(['session', ...args], env);
const local = (name: string): string => join(here, name);

type Packed = Partial<Header> & Pick<Header, 'name'> & { readonly content?: string };
async function archive(...entries: Packed[]): Promise<Buffer> {
  const tar = pack();
  for (const { content = '', ...header } of entries) tar.entry(header, content);
  tar.finalize();
  return buffer(Readable.from(tar));
}

test('upload puts files where they are to go, byte for byte, and says so', async () => {
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  writeFileSync(local('a b.bin'), bytes);
  writeFileSync(local('run.sh'), 'true', { mode: 0o755 });
  const { code, stdout } = await berth('upload', 'train', local('a b.bin'), local('run.sh'), '--to', 'data/in');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `${local('a b.bin')} -> data/in/a b.bin (5B)\n${local('run.sh')} -> data/in/run.sh (4B)\n`,
  });
  expect(server.files.kept.get('data/in/a b.bin')).toEqual(bytes);
  expect([...server.files.executable]).toEqual(['data/in/run.sh']);
});

test('upload takes folders with all that is in them, but not what links lead to', async () => {
  mkdirSync(local('src/deep'), { recursive: true });
  writeFileSync(local('src/deep/x.py'), 'x');
  writeFileSync(local('secret'), 's');
  symlinkSync(local('secret'), local('src/link'));
  const { code, stdout, stderr } = await berth('upload', 'train', local('src'), '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    items: [{ file: local('src/deep/x.py'), path: 'src/deep/x.py', size: 1 }],
    leftOut: [local('src/link')],
  });
  expect(stderr).toContain(`Left out, since it is a link or no file: ${local('src/link')}`);
});

test('upload sends nothing when one of the files is not there', async () => {
  writeFileSync(local('one'), '1');
  const { code, stderr } = await berth('upload', 'train', local('one'), local('two'));
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/two cannot be read: ENOENT/) });
  expect(server.files.kept.size).toBe(0);
});

test('upload refuses two files of one name', async () => {
  for (const folder of ['a', 'b']) {
    mkdirSync(local(folder));
    writeFileSync(local(`${folder}/same`), folder);
  }
  expect(await berth('upload', 'train', local('a/same'), local('b/same'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('"same"'),
  });
});

test('download gets a file as it is; one that is there is replaced only by force, and a link is not written through', async () => {
  server.files.kept.set('data/model.pt', Buffer.from([1, 0, 2]));
  expect(await berth('download', 'train', 'data/model.pt', '--to', local('got'))).toMatchObject({
    code: 0,
    stdout: `data/model.pt -> ${local('got/model.pt')} (3B)\n`,
  });
  expect(readFileSync(local('got/model.pt'))).toEqual(Buffer.from([1, 0, 2]));
  writeFileSync(local('precious'), 'mine');
  symlinkSync(local('precious'), local('model.pt'));
  const refused = await berth('download', 'train', 'data/model.pt', '--to', here);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/model\.pt is there already: .*--force/) });
  expect(await berth('download', 'train', 'data/model.pt', '--to', here, '--force')).toMatchObject({ code: 0 });
  expect(readFileSync(local('precious'), 'utf8')).toBe('mine');
  expect(lstatSync(local('model.pt')).isFile()).toBe(true);
});

test('download unpacks a folder under the name that was asked for, with its programs, and leaves links out', async () => {
  server.files.archive = await archive(
    { name: './', type: 'directory' },
    { name: './sub/', type: 'directory' },
    { name: './sub/run.sh', mode: 0o755, content: 'go' },
    { name: './twin', type: 'link', linkname: './sub/run.sh' },
    { name: './out', type: 'symlink', linkname: '/etc/passwd' },
  );
  const { code, stdout, stderr } = await berth('download', 'train', 'results', '--to', here, '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    items: [{ path: 'results', file: local('results'), kind: 'folder', files: 2, bytes: 4, leftOut: ['./out'] }],
  });
  expect(stderr).toContain('Left out, since they are links or no files: ./out');
  expect(readFileSync(local('results/twin'), 'utf8')).toBe('go');
  expect(lstatSync(local('results/sub/run.sh')).mode & 0o100).toBe(0o100);
  expect(readdirSync(here)).toEqual(['results']);
});

test.each([
  ['../out', 'climbs'],
  ['sub/../../out', 'climbs later'],
  ['/../out', 'climbs from the root'],
])('a hostile archive that holds %s is refused, and nothing stays', async (name) => {
  server.files.archive = await archive({ name: 'good', content: 'g' }, { name, content: 'evil' });
  expect(await berth('download', 'train', 'results', '--to', local('in/side'))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/would lead out of the folder/),
  });
  expect(readdirSync(here, { recursive: true })).toEqual(['in', 'in/side']);
});

test('names that are absolute in an archive are taken for relative ones', async () => {
  server.files.archive = await archive({ name: '/etc/evil', content: 'e' });
  expect(await berth('download', 'train', 'results', '--to', here)).toMatchObject({ code: 0 });
  expect(readFileSync(local('results/etc/evil'), 'utf8')).toBe('e');
});

test('with --force a folder is added to, but never through a link that is in it', async () => {
  mkdirSync(local('results'));
  mkdirSync(local('elsewhere'));
  writeFileSync(local('results/kept'), 'k');
  symlinkSync(local('elsewhere'), local('results/link'));
  server.files.archive = await archive({ name: './new', content: 'n' });
  expect(await berth('download', 'train', 'results', '--to', here)).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
  expect(await berth('download', 'train', 'results', '--to', here, '--force')).toMatchObject({ code: 0 });
  expect(readdirSync(local('results')).toSorted()).toEqual(['kept', 'link', 'new']);
  server.files.archive = await archive({ name: './link/planted', content: 'p' });
  expect(await berth('download', 'train', 'results', '--to', here, '--force')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/link is there, and is no folder/),
  });
  expect(readdirSync(local('elsewhere'))).toEqual([]);
});

test('a download that breaks off leaves nothing that looks whole', async () => {
  server.files.archive = await archive({ name: './a', content: 'x'.repeat(4000) });
  server.files.breakAfter = 1000;
  expect(await berth('download', 'train', 'results', '--to', here)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('broke off'),
  });
  server.files.archive = undefined;
  server.files.kept.set('big', Buffer.alloc(4000));
  expect(await berth('download', 'train', 'big', '--to', here)).toMatchObject({ code: 1, stderr: expect.stringContaining('broke off') });
  expect(readdirSync(here)).toEqual([]);
});

test('a path that leads out is refused here already, one that is not there by the server', async () => {
  expect(await berth('download', 'train', 'a/../..', '--to', here)).toMatchObject({ code: 2, stderr: expect.stringContaining('".."') });
  expect(await berth('download', 'train', 'nothing', '--to', here)).toMatchObject({ code: 1, stderr: 'Error: there is no such file\n' });
});

test('files lists a folder: kinds and sizes for people, names for scripts, all of it for programs', async () => {
  expect(await berth('files', 'train')).toMatchObject({ code: 0, stdout: '', stderr: '/home/ada/. is empty.\n' });
  server.files.kept.set('a\x1b[31m.txt', Buffer.alloc(2048));
  expect((await berth('files', 'train')).stdout).toBe(
    'MODE        SIZE  CHANGED  NAME\ndrwxr-xr-x  -     1h ago   data/\n-rw-r--r--  2KiB  1h ago   a .txt\n',
  );
  expect((await berth('files', 'train', 'x', '-q')).stdout).toBe('data\na .txt\n');
  expect(JSON.parse((await berth('files', 'train', 'x', '--json')).stdout)).toMatchObject({ path: 'x', entries: [{ name: 'data' }, {}] });
});
