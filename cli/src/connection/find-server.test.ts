import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig, writeConfig } from './config-file.ts';
import { findServer } from './find-server.ts';

const LOCAL = 'http://127.0.0.1:4999';
let env: Record<string, string>;

beforeEach(async () => {
  const home = await mkdtemp(join(tmpdir(), 'berth-config-'));
  env = { HOME: home, BERTH_DATA: join(home, 'data') };
});

afterEach(() => rm(env['HOME'] ?? '', { recursive: true }));

async function serverOnThisMachine(mode = 0o600): Promise<void> {
  await mkdir(env['BERTH_DATA'] ?? '', { recursive: true });
  const path = join(env['BERTH_DATA'] ?? '', 'local-access.json');
  await writeFile(path, JSON.stringify({ url: LOCAL, token: 'local', pid: 1 }));
  await chmod(path, mode);
}
const stored = { current: 'https://lab.example.org', servers: { 'https://lab.example.org': { token: 'stored' } } };

test('with nothing said and nothing stored it is the server of this machine, without a token', async () => {
  expect(await findServer({}, { env })).toEqual({ url: 'http://127.0.0.1:4280' });
});

test('a server of this machine and user signs in by its file', async () => {
  await serverOnThisMachine();
  expect(await findServer({}, { env })).toEqual({ url: LOCAL, token: 'local' });
  expect(await findServer({ url: 'http://localhost:4999' }, { env })).toEqual({ url: 'http://localhost:4999', token: 'local' });
});

test.each([0o644, 0o620, 0o604])('a file that others can read or write (%o) is not believed', async (mode) => {
  await serverOnThisMachine(mode);
  expect(await findServer({}, { env })).toEqual({ url: 'http://127.0.0.1:4280' });
});

test('what was stored wins over this machine, the environment over what was stored, flags over all', async () => {
  await serverOnThisMachine();
  await writeConfig(env, stored);
  expect(await findServer({}, { env })).toEqual({ url: 'https://lab.example.org', token: 'stored' });
  const fromEnvironment = { ...env, BERTH_URL: 'http://other:1/', BERTH_TOKEN: 'environment' };
  expect(await findServer({}, { env: fromEnvironment })).toEqual({ url: 'http://other:1', token: 'environment' });
  expect(await findServer({ url: 'http://flag:2', token: 'flag' }, { env: fromEnvironment })).toEqual({
    url: 'http://flag:2',
    token: 'flag',
  });
});

test('a token goes to the server it was stored for and to no other', async () => {
  await serverOnThisMachine();
  await writeConfig(env, stored);
  expect(await findServer({ url: 'http://elsewhere' }, { env })).toEqual({ url: 'http://elsewhere' });
  expect(await findServer({ url: LOCAL }, { env })).toEqual({ url: LOCAL, token: 'local' });
});

test('an address that is none is refused by name', async () => {
  await expect(findServer({ url: 'lab' }, { env })).rejects.toThrow('"lab" is not the address of a server');
});

test('what is stored can be read by its owner only', async () => {
  await writeConfig(env, stored);
  const folder = join(env['HOME'] ?? '', '.config', 'berth');
  const modes = await Promise.all([stat(folder), stat(join(folder, 'config.json'))]);
  expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '600']);
  expect(await readConfig(env)).toEqual(stored);
});

test('a damaged file is named, with what to do', async () => {
  const path = join(env['HOME'] ?? '', 'broken.json');
  await writeFile(path, '{');
  await expect(readConfig({ BERTH_CONFIG: path })).rejects.toThrow(`${path} is damaged: remove it`);
});
