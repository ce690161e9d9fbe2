import { afterEach, beforeEach, expect, test } from 'vitest';
import { runInProcess } from './in-process.ts';
import { freshEnvironment } from './run-berth.ts';
import { SECRET_KEY } from './stand-in-keypairs.ts';
import { StandInServer } from './stand-in-server.ts';

let server: StandInServer;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  server = await new StandInServer().listen();
  env = freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token });
});
afterEach(() => server.stop());

const berth = (...args: string[]) => runInProcess(['keypair', ...args], env);
const FIRST = 'AKIAAAAAAAAAAAAAAAA2';

test('create tells both keys, and on stderr that this was the only time and how to revoke', async () => {
  const { code, stdout, stderr } = await berth('create', 'nightly', '--user', 'bob');
  expect({ code, stdout }).toEqual({ code: 0, stdout: `Access key  ${FIRST}\nSecret key  ${SECRET_KEY}\n` });
  expect(stderr).toContain(`only time the secret key is shown. Who has both keys acts as bob, until: berth keypair revoke ${FIRST}`);
  expect(stderr).not.toContain(SECRET_KEY);
  expect(server.requests.at(-1)).toMatchObject({ method: 'POST', path: '/api/keypairs', body: { name: 'nightly', user: 'bob' } });
});

test('create --json is one document with both keys; a name is not needed', async () => {
  const { stdout, stderr } = await berth('create', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ accessKey: FIRST, secretKey: SECRET_KEY, name: '' });
  expect(stderr).toBe('');
});

test('create --quiet would lose the secret: it makes none', async () => {
  expect(await berth('create', '-q')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--json') });
  expect(server.keypairs.kept).toEqual([]);
});

test('the list says what each is for and whether it is valid, and never a secret', async () => {
  await berth('create', 'nightly');
  await berth('create');
  await berth('revoke', FIRST);
  const { stdout } = await berth('list');
  expect(stdout.trimEnd().split('\n')).toEqual([
    'ACCESS KEY            NAME     USER  STATUS   CREATED  LAST USED',
    'AKIAAAAAAAAAAAAAAAA3  -        ada   valid    1h ago   never',
    'AKIAAAAAAAAAAAAAAAA2  nightly  ada   revoked  1h ago   never',
  ]);
  expect(JSON.parse((await berth('list', '--json')).stdout)).toMatchObject({
    items: [{ accessKey: 'AKIAAAAAAAAAAAAAAAA3' }, {}],
    next: null,
  });
  for (const args of [['list'], ['list', '--json'], ['list', '-q']]) expect((await berth(...args)).stdout).not.toContain(SECRET_KEY);
});

test('an empty list says how to make one', async () => {
  expect(await berth('list')).toMatchObject({ code: 0, stdout: '', stderr: 'No key pairs. Make one with: berth keypair create NAME\n' });
});

test('revoke takes the access key or the id, and says what of', async () => {
  await berth('create');
  await berth('create');
  expect((await berth('revoke', FIRST)).stdout).toBe(
    `Revoked key pair ${FIRST} of ada. What it started goes on: see berth session list.\n`,
  );
  const second = server.keypairs.kept[1];
  expect(JSON.parse((await berth('revoke', second?.id ?? '', '--json')).stdout)).toMatchObject({ accessKey: second?.accessKey });
  expect(await berth('revoke', 'AKIA')).toMatchObject({ code: 1, stderr: 'Error: you have no key pair "AKIA"\n' });
});

test.each(['create', 'list', 'revoke'])('the help of %s has an example', async (verb) => {
  expect((await berth(verb, '--help')).stdout).toMatch(new RegExp(`^  .*berth keypair ${verb} .+$`, 'm'));
});
