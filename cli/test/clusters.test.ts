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

const berth = (...args: string[]) => runInProcess(args, env);

test('a job of several containers is asked for with its size and mode', async () => {
  const { code } = await berth('job', 'create', '--cluster-size', '3', '--cluster-mode', 'multi-node', '--cpus', '2', '--', 'true');
  expect(code).toBe(0);
  expect(server.requests.find(({ method }) => method === 'POST')?.body).toMatchObject({ clusterSize: 3, clusterMode: 'multi-node' });
});

test.each([
  ['--cluster-size', '0'],
  ['--cluster-size', '65'],
  ['--cluster-size', 'many'],
  ['--cluster-mode', 'everywhere'],
])('%s %s is refused before anything is asked of the server', async (flag, value) => {
  const { code, stderr } = await berth('session', 'create', flag, value);
  expect(code).toBe(2);
  expect(stderr).toContain(`${flag}: "${value}"`);
  expect(server.requests).toEqual([]);
});

test('show tells each container, the list what is reserved of each, and both whether one is missing', async () => {
  const { id } = server.add({ clusterSize: 2, resources: { cpu: 2 } });
  const [main, sub] = server.get(id).session.containers;
  if (main === undefined || sub === undefined) throw new Error('a session of two containers has two');
  server.move(id, 'running', 'running, degraded: sub1 ended, exit 137', {
    degraded: true,
    containers: [
      { ...main, state: 'running', node: 'n1' },
      { ...sub, state: 'ended', node: 'n1', exitCode: 137, reason: 'ended, exit 137' },
    ],
  });
  const { stdout } = await berth('session', 'show', id);
  expect(stdout).toMatch(/State +Running \(degraded\)/);
  expect(stdout).toMatch(/Containers +2, all on one node/);
  expect(stdout).toMatch(/main1 +running +n1/);
  expect(stdout).toMatch(/sub1 +ended +n1 +ended, exit 137/);
  expect((await berth('session', 'list')).stdout).toMatch(/Running \(degraded\) .* 2 × 2 CPUs/);
});

test('one container says nothing of containers', async () => {
  const { id } = server.add({});
  expect((await berth('session', 'show', id)).stdout).not.toMatch(/container/i);
});

test('exec goes to the container that is named, else to main1', async () => {
  server.workload = { start: (process) => process.exit(0) };
  const { id } = server.add({ clusterSize: 2 });
  server.change(id, { state: 'running' });
  await berth('session', 'exec', id, '--container', 'sub1', '--', 'true');
  await berth('session', 'exec', id, '--', 'true');
  expect(server.requests.filter(({ method }) => method === 'WS').map(({ body }) => body)).toMatchObject([
    { container: 'sub1' },
    { container: 'main1' },
  ]);
});
