import { execFileSync } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Berth, freshEnvironment, temporaryFolder } from './run-berth.ts';
import { StandInServer } from './stand-in-server.ts';

const LAUNCHER = join(import.meta.dirname, '..', 'bin', 'berth.js');
/** The machine's own, usually older than the one Berth needs. */
const PATH = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
const systemNode = execFileSync('/bin/sh', ['-c', 'command -v node'], { env: { PATH: PATH.join(delimiter) }, encoding: 'utf8' }).trim();

let elsewhere: string;
let server: StandInServer;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  elsewhere = temporaryFolder();
  server = await new StandInServer().listen();
  env = { ...freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token }), PATH: PATH.join(delimiter) };
});
afterAll(() => server.stop());

const berth = (launcher: string, ...args: string[]): Berth => new Berth(systemNode, [launcher, ...args], { env, cwd: elsewhere });

test("works with the system's Node, from another folder, through a link", async () => {
  const link = join(elsewhere, 'berth');
  await symlink(LAUNCHER, link);
  const { code, stdout } = await berth(link, 'version', '--json').ended;
  expect(code).toBe(0);
  expect(Number(/^v(\d+)/.exec(JSON.parse(stdout).node)?.[1])).toBeGreaterThanOrEqual(24);
});

test('input, output and exit code go through', async () => {
  server.workload = { input: (bytes, process) => process.write('stdout', bytes), inputEnd: (process) => process.exit(3) };
  const cat = berth(LAUNCHER, 'session', 'create', '--', 'cat');
  cat.child.stdin.end('hello');
  expect(await cat.ended).toMatchObject({ code: 3, stdout: 'hello' });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s reaches the command line once', async (signal, code) => {
  server.workload = { start: (process) => process.write('stdout', 'up') };
  const session = berth(LAUNCHER, 'session', 'create', '--', 'sleep');
  await session.prints(/up/, 'stdout');
  session.child.kill(signal);
  const ran = await session.ended;
  expect(ran.code).toBe(code);
  if (signal !== 'SIGHUP') expect(ran.stderr).toMatch(/Stopping session/);
});

test('a launcher that is killed takes the command line with it, not the session', async () => {
  server.workload = { start: (process) => process.write('stdout', 'up') };
  const session = berth(LAUNCHER, 'session', 'create', '--', 'sleep');
  await session.prints(/up/, 'stdout');
  session.child.kill('SIGKILL');
  // Both ends of the output are closed only when nobody is left.
  await session.ended;
  expect([...server.sessions.values()].at(-1)?.session.state).toBe('running');
});

test('says what is missing and the command that cures it', async () => {
  const tree = temporaryFolder();
  await cp(LAUNCHER, join(tree, 'cli', 'bin', 'berth.js'));
  await cp(join(LAUNCHER, '..', '..', 'package.json'), join(tree, 'cli', 'package.json'));
  const bare = await berth(join(tree, 'cli', 'bin', 'berth.js'), 'version').ended;
  expect(bare).toMatchObject({
    code: 1,
    stderr: `berth: its packages are not installed in ${tree}; install them with: (cd '${tree}' && npm ci)\n`,
  });
  await mkdir(join(tree, 'node_modules', 'commander'), { recursive: true });
  const old = await berth(join(tree, 'cli', 'bin', 'berth.js'), 'version').ended;
  expect(old.code).toBe(1);
  if (Number(execFileSync(systemNode, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' })) < 24) {
    expect(old.stderr).toMatch(/^berth: this is Node \d.*, and the Node 24 it needs is not installed in .*npm ci\)\n$/);
  }
});
