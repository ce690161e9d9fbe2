import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runInProcess } from './in-process.ts';
import { freshEnvironment } from './run-berth.ts';
import { StandInServer } from './stand-in-server.ts';

let server: StandInServer;
let env: NodeJS.ProcessEnv;
let folder: string;
beforeEach(async () => {
  server = await new StandInServer().listen();
  env = freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token });
  folder = await mkdtemp(join(tmpdir(), 'berth-cli-'));
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const create = (...flags: string[]) => runInProcess(['session', 'create', '--detach', ...flags], env);
async function script(content: string | Buffer): Promise<string> {
  const path = join(folder, 'setup.sh');
  await writeFile(path, content);
  return path;
}

test('a bootstrap script, services and an architecture are asked for, and shown', async () => {
  const path = await script('pip install s3cret\n');
  const { code, stdout } = await create('--bootstrap', path, '--expose', 'board:6006', '--expose', '5432/tcp', '--architecture', 'arm64');
  expect(code).toBe(0);
  expect(server.requests.find(({ method }) => method === 'POST')?.body).toMatchObject({
    bootstrapScript: 'pip install s3cret\n',
    architecture: 'arm64',
    ports: [
      { name: 'board', port: 6006, protocol: 'http' },
      { name: '5432', port: 5432, protocol: 'tcp' },
    ],
  });
  const shown = await runInProcess(['session', 'show', stdout.trim()], env);
  expect(shown.stdout).toMatch(/Services +board 6006\/http, 5432 5432\/tcp/);
  expect(shown.stdout).toMatch(/Bootstrap +a script runs before its command/);
  expect(shown.stdout).toMatch(/Architecture +arm64/);
  expect(shown.stdout).not.toContain('s3cret');
});

test.each<[string, string | Buffer, RegExp]>([
  ['is too long', 's3cret'.repeat(3000), /--bootstrap: .* is 18000 bytes long; a bootstrap script is at most 16384/],
  ['holds NUL', 's3cret\0', /--bootstrap: .* holds NUL/],
  ['is empty', ' \n', /--bootstrap: .* is empty/],
])('a script that %s is refused, and none of it shown', async (_, content, message) => {
  const { code, stderr } = await create('--bootstrap', await script(content));
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain('s3cret');
  expect(server.requests).toEqual([]);
});

test.each([
  [['--bootstrap', '/no/such/file'], /--bootstrap: "\/no\/such\/file" cannot be read/],
  [['--expose', 'board'], /--expose: "board" names no port/],
  [['--expose', 'Board:80'], /--expose: "Board"/],
  [['--expose', '80/udp'], /--expose: "udp"/],
  [['--expose', 'a:99999'], /--expose: "99999"/],
])('%j is refused with exit code 2, naming what is wrong, before anything is asked of the server', async (flags, message) => {
  const { code, stderr } = await create(...flags);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(server.requests).toEqual([]);
});

test('what a session is at while its script runs is told', async () => {
  const { id } = server.add({});
  const step = { step: 'bootstrap', startedAt: '2026-01-01T12:00:00.000Z', endedAt: null, detail: null } as const;
  server.move(id, 'preparing', 'running its bootstrap script', { timeline: [step] });
  expect((await runInProcess(['session', 'list'], env)).stdout).toContain('Launching (bootstrap script)');
});
