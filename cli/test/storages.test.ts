import { afterEach, beforeEach, expect, test } from 'vitest';
import { runInProcess } from './in-process.ts';
import { freshEnvironment } from './run-berth.ts';
import { StandInServer } from './stand-in-server.ts';

let server: StandInServer;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  server = await new StandInServer().listen();
  env = freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token });
});
afterEach(() => server.stop());

const storage = (...args: string[]) => runInProcess(['storage', ...args], env);

test('create says how a session gets it', async () => {
  expect(await storage('create', 'data', '--project', 'lab')).toMatchObject({ code: 0, stdout: expect.stringContaining('--mount data') });
  expect(server.requests.at(-1)).toMatchObject({
    path: '/api/storages',
    body: { name: 'data', project: 'lab', clientToken: expect.any(String) },
  });
  expect(JSON.parse((await storage('create', 'more', '--json')).stdout)).toMatchObject({ name: 'more', state: 'ready' });
});

test('the list tells which sessions have each', async () => {
  await storage('create', 'data');
  const [kept] = server.storages.kept;
  server.storages.kept[0] = { ...(kept as NonNullable<typeof kept>), mountedBy: [{ id: 's1', name: 'train-7' }] };
  await storage('create', 'more');
  const lines = (await storage('list')).stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^NAME +OWNER +STATE +MOUNTED BY +CREATED +ID$/);
  expect(lines[1]).toMatch(/^more +ada +ready +- +1h ago/);
  expect(lines[2]).toMatch(/^data +ada +ready +train-7 /);
  expect((await storage('show', 'data')).stdout).toMatch(/^Mounted by {2}train-7$/m);
});

test('an empty list says how to make one', async () =>
  expect(await storage('list')).toMatchObject({ code: 0, stdout: '', stderr: 'No storages. Make one with: berth storage create NAME\n' }));

test('delete waits until nothing is left, unless told not to', async () => {
  await storage('create', 'data');
  expect(await storage('delete', 'data')).toMatchObject({ code: 0, stdout: 'Deleted storage data: all that was in it is gone.\n' });
  expect(server.storages.kept).toEqual([]);
  await storage('create', 'more');
  expect(await storage('delete', 'more', '--no-wait')).toMatchObject({ code: 0, stdout: 'Storage more is being deleted.\n' });
  expect(await storage('delete', 'absent')).toMatchObject({ code: 1, stderr: expect.stringContaining('"absent"') });
});

test('a session is asked for with its mounts, and shown with them', async () => {
  const args = ['session', 'create', '--detach', '--quiet', '--mount', 'data', '--mount', 'models:/opt/models:ro'];
  const { code, stdout } = await runInProcess(args, env);
  expect(code).toBe(0);
  expect(server.requests.find(({ method }) => method === 'POST')?.body).toMatchObject({
    mounts: [{ storage: 'data' }, { storage: 'models', target: '/opt/models', readOnly: true }],
  });
  const shown = await runInProcess(['session', 'show', stdout.trim()], env);
  expect(shown.stdout).toMatch(/^Storages +data at \/work\/data, models at \/opt\/models \(read-only\)$/m);
});

test('a mount that is not understood is refused before anything is asked', async () => {
  expect(await runInProcess(['session', 'create', '--mount', 'data:here'], env)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--mount: "data:here"'),
  });
  expect(server.requests).toEqual([]);
});

test.each(['create', 'list', 'show', 'delete'])('the help of %s has an example', async (verb) =>
  expect((await storage(verb, '--help')).stdout).toMatch(new RegExp(`^  .*berth storage ${verb} .+$`, 'm')),
);
