import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

test('the list shows what a person wants to know, newest first; ended ones only when asked for', async () => {
  const { id: first } = server.add({ name: 'train', resources: { cpu: 2, memory: '4GiB' } });
  server.move(first, 'running', 'ready', { node: 'n1' });
  const { id: second } = server.add({ name: 'wait', image: 'docker://debian', resources: { gpu: 1 } });
  server.change(second, { waiting: { position: 1, of: 1, reasons: [] } });
  const { id: third } = server.add({ name: 'done' });
  server.move(third, 'terminated', 'exit 3', { exitCode: 3 });
  expect((await berth('session', 'list')).stdout.split('\n').map((line) => line.trimEnd())).toEqual([
    'ID                  NAME   TYPE         STATE                          IMAGE                RESOURCES            NODE  AGE',
    '0199a3b4-c5d6-7002  wait   interactive  Launching (waiting, 1st of 1)  docker://debian      1 GPU                -     1h',
    '0199a3b4-c5d6-7001  train  interactive  Running                        docker://berth/base  2 CPUs, 4GiB memory  n1    1h',
    '',
  ]);
  expect((await berth('session', 'list', '--all')).stdout).toContain('Finished, exit 3');
  expect(JSON.parse((await berth('session', 'list', '--json')).stdout)).toMatchObject({
    items: [{ name: 'wait' }, { name: 'train' }],
    next: null,
  });
  expect((await berth('session', 'list', '-q')).stdout).toBe(`${second}\n${first}\n`);
});

test('an empty list says so on stderr, and --json is still a document', async () => {
  expect(await berth('session', 'list')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('No sessions') });
  expect(JSON.parse((await berth('session', 'list', '--json')).stdout)).toEqual({ items: [], next: null });
});

test('show tells the launch step by step with its durations', async () => {
  const { id } = server.add({ command: ['sh', '-c', 'echo "a b"'] });
  const timeline = [
    { step: 'queue', startedAt: '2026-01-01T12:00:00.000Z', endedAt: '2026-01-01T12:00:05.000Z', detail: null },
    { step: 'image', startedAt: '2026-01-01T12:00:05.000Z', endedAt: null, detail: 'layer 1 of 2' },
  ] as const;
  server.move(id, 'pulling', 'pulling', { timeline: [...timeline], node: 'n1' });
  const { stdout } = await berth('session', 'show', id);
  expect(stdout).toMatch(/State +Launching \(image: layer 1 of 2\)/);
  expect(stdout).toMatch(/Command +sh -c 'echo "a b"'/);
  expect(stdout).toMatch(/waiting +2026-01-01T12:00:00.000Z +5s\n/);
  expect(stdout).toMatch(/image +2026-01-01T12:00:05.000Z +59m55s so far +layer 1 of 2\n/);
});

test('stop waits until they have ended and shows them; --all takes all of mine', async () => {
  const ids = ['one', 'two'].map((name) => server.add({ name: `session-${name}` }).id);
  for (const id of ids) server.run(id);
  const { code, stdout } = await berth('session', 'stop', '--all');
  expect(code).toBe(0);
  expect(stdout.match(/Finished, exit 143/g)).toHaveLength(2);
  expect(await berth('session', 'stop', '--all')).toMatchObject({ code: 0, stdout: '', stderr: 'None of your sessions is live.\n' });
});

test('restart waits until it runs anew, not until it runs', async () => {
  const { id } = server.add({});
  server.run(id);
  const { stdout } = await berth('session', 'restart', id, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ items: [{ state: 'running', restarts: 1 }] });
});

test('--no-wait only asks', async () => {
  const { id } = server.add({});
  server.run(id);
  expect((await berth('session', 'stop', id, '--no-wait')).stdout).toContain('Running');
});

test('one session that cannot be stopped does not hold up the others', async () => {
  const { id } = server.add({});
  server.run(id);
  const { code, stdout, stderr } = await berth('session', 'stop', 'nobody', id);
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'Error: there is no session "nobody"\n' });
  expect(stdout).toContain('Finished');
});

test('wait ends with the exit code of the session', async () => {
  const { id } = server.add({});
  const waiting = berth('session', 'wait', id);
  server.run(id);
  server.move(id, 'terminated', 'exit 9', { exitCode: 9 });
  expect((await waiting).code).toBe(9);
});

test('wait --for running ends when it runs, fails when it never will, and with 124 when the time is up', async () => {
  const { id } = server.add({});
  expect(await berth('session', 'wait', id, '--for', 'running', '--timeout', '50ms')).toMatchObject({ code: 124 });
  const waiting = berth('session', 'wait', id, '--for', 'running');
  server.run(id);
  expect((await waiting).code).toBe(0);
  server.move(id, 'error', 'lost', { exitCode: null });
  expect((await berth('session', 'wait', id, '--for', 'running')).code).toBe(1);
});

test('attach has a message for each: ended, paused, unknown, none, several', async () => {
  const { id } = server.add({ name: 'train' });
  server.move(id, 'paused', 'asked for');
  expect((await berth('session', 'attach', 'train')).stderr).toMatch(/is paused: .*berth session resume/);
  server.move(id, 'terminated', 'exit 0', { exitCode: 0 });
  expect(await berth('session', 'attach', 'train')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/has ended .*berth session logs/),
  });
  expect((await berth('session', 'attach', 'nobody')).stderr).toBe('Error: there is no session "nobody"\n');
  expect((await berth('session', 'attach')).stderr).toMatch(/none of your sessions is running/);
  for (const name of ['left', 'right']) server.run(server.add({ name }).id);
  expect(await berth('session', 'attach')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/2 of your sessions are running \(right, left\)/),
  });
});

test('exec passes arguments, output and exit code; its streams are kept apart', async () => {
  server.workload = { start: (process) => (process.write('stdout', 'out'), process.write('stderr', 'err'), process.exit(4)) };
  const { id } = server.add({});
  server.change(id, { state: 'running' });
  expect(await berth('session', 'exec', id, '--', 'sh', '-c', 'exit 4')).toEqual({ code: 4, stdout: 'out', stderr: 'err' });
  expect(server.requests.at(-1)).toMatchObject({ method: 'WS', body: { command: '["sh","-c","exit 4"]', tty: 'false' } });
});

test('logs are the bytes it printed', async () => {
  server.workload = { start: (process) => (process.write('stdout', 'one\n'), process.write('stderr', 'two\n')) };
  const { id } = server.add({});
  server.run(id);
  expect((await berth('session', 'logs', id)).stdout).toBe('one\ntwo\n');
  expect((await berth('job', 'logs', id, '--json')).stdout).toBe('{"line":"one"}\n{"line":"two"}\n');
});

test('events of a session are told from its beginning; --json is one per line', async () => {
  const { id } = server.add({});
  server.run(id);
  const { stdout } = await berth('session', 'events', id, '--json');
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).state),
  ).toEqual(['pending', 'running']);
});

test('a job is a batch session in the background', async () => {
  const { stdout } = await berth('job', 'create', '-q', '--', 'python3', 'train.py');
  expect(server.get(stdout.trim()).session).toMatchObject({ type: 'batch', tty: false, stdin: 'closed', command: ['python3', 'train.py'] });
  expect(await berth('job', 'create')).toMatchObject({ code: 2, stderr: expect.stringContaining('a job runs a command') });
});

test('a job may have to wait for a time and for others, and may run for so long', async () => {
  const flags = ['--tag', 'nightly', '--starts-at', '1d 2h', '--after', 'prep', '--after', 'train', '--max-run-time', '90m', '--retry'];
  const { code, stdout } = await berth('job', 'create', '-q', ...flags, '--', 'true');
  expect(code).toBe(0);
  const { session } = server.get(stdout.trim());
  expect(session).toMatchObject({ tag: 'nightly', startsAt: '2026-01-02T14:00:00.000Z', batchTimeoutMs: 5_400_000, retry: true });
  const shown = (await berth('session', 'show', session.id)).stdout;
  expect(shown).toMatch(/Tag +nightly\n.*Starts at +2026-01-02T14:00:00.000Z\n/s);
  expect(shown).toMatch(/Follows +prep \(running\), train \(running\)\nMay run for +1h30m\nIf interrupted +its command is run again\n/);
  expect(await berth('job', 'create', '--starts-at', 'soon', '--', 'true')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--starts-at: "soon" is no point in time/),
  });
});

test('what holds a session back is told before what the nodes lack', async () => {
  const { id } = server.add({ name: 'train' });
  const holds = [{ rule: 'dependencies', reason: 'follows prep (running)' } as const];
  server.change(id, { waiting: { position: 2, of: 2, reasons: [{ node: 'n1', reason: 'needs 1 CPU, 0 free of 2' }], holds } });
  const { stdout } = await berth('session', 'show', 'train');
  expect(stdout).toMatch(/State +Launching \(follows prep \(running\)\), for/);
  expect(stdout).toMatch(/Waiting for +follows prep \(running\); n1: needs 1 CPU, 0 free of 2. You are 2nd of 2.\n/);
});

test('the result of a batch session is shown', async () => {
  const { id } = server.add({ type: 'batch', command: ['true'] });
  server.move(id, 'terminated', 'finished, exit 0', { exitCode: 0, result: 'success' });
  expect((await berth('session', 'show', id)).stdout).toMatch(/Result +success\n/);
});

test('a renamed session is called by its new name', async () => {
  const { id } = server.add({ name: 'train' });
  expect(await berth('session', 'rename', 'train', 'train-2')).toMatchObject({ code: 0, stdout: 'train is called train-2 now.\n' });
  expect(JSON.parse((await berth('session', 'rename', id, 'train-3', '--json')).stdout)).toMatchObject({ id, name: 'train-3' });
});

test('a refused token is a sentence and what to do; with --json a problem', async () => {
  env['BERTH_TOKEN'] = 'stale';
  expect(await berth('whoami')).toMatchObject({ code: 1, stderr: 'Error: the token is not known here. Sign in with: berth login\n' });
  expect(JSON.parse((await berth('whoami', '--json')).stderr)).toMatchObject({ code: 'not-signed-in', status: 401 });
});

test('without a terminal nobody is asked for a token', async () => {
  delete env['BERTH_TOKEN'];
  expect(await berth('session', 'list')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/not signed in; set BERTH_TOKEN or run berth login/),
  });
});

test('a server that is not there is named with host and port, and how to start it', async () => {
  await server.stop();
  const address = new URL(server.url).host;
  const { code, stderr } = await berth('session', 'list');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `Error: the Berth server at ${address} cannot be reached: nothing listens there. Start it with: berth server\n`,
  });
  expect(JSON.parse((await berth('session', 'list', '--json')).stderr)).toMatchObject({ code: 'server-unreachable' });
});

test.each([
  [['sesion'], /unknown command 'sesion'/],
  [['session', 'create', 'sh', '-c', 'x'], /unknown option '-c'[^]*behind "--"/],
  [['session', 'list', '-q', '--json'], /exclude each other/],
  [['session', 'show'], /missing required argument 'session'/],
  [['session', 'stop'], /name the sessions to stop/],
  [['session', 'wait', 'x', '--for', 'ever'], /--for "ever"/],
  [['session', 'wait', 'x', '--timeout', '5'], /--timeout: "5" is not a duration/],
  [['--url', 'nowhere', 'whoami'], /"nowhere" is not the address/],
])('%j is a mistake in the command: exit code 2', async (args, message) => {
  const { code, stderr } = await berth(...args);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

test.each(['bash', 'zsh', 'fish'])('the completion of %s knows commands, verbs, options and sessions', async (shell) => {
  const { code, stdout } = await berth('completion', shell);
  expect(code).toBe(0);
  for (const word of ['whoami', 'attach', 'shared-memory', 'berth session list --quiet']) expect(stdout).toContain(word);
});

test('commands that need no server ask none', async () => {
  await server.stop();
  delete env['BERTH_TOKEN'];
  for (const args of [['config', 'path'], ['version', '-q'], ['--help'], ['session', 'create', '--help'], ['completion', 'bash']]) {
    expect((await berth(...args)).code).toBe(0);
  }
});

test('login takes the token that --token gives, and remembers it', async () => {
  delete env['BERTH_TOKEN'];
  expect(await berth('login', server.url, '--token', 'berth_wrong')).toMatchObject({ code: 1, stderr: expect.stringContaining('refused') });
  expect(await berth('login', server.url, '--token', server.token)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('Signed in'),
  });
  expect(await berth('whoami')).toMatchObject({ code: 0 });
});

test('config show lists every setting with where it comes from, those without a value too', async () => {
  const { code, stdout } = await berth('config', 'show');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^freezeFor +\S+ +\S/m);
  expect(stdout).toMatch(/^nodeMemory +- +default$/m);
  expect(JSON.parse((await berth('config', 'show', '--json')).stdout)).toMatchObject({
    items: expect.arrayContaining([expect.objectContaining({ name: 'nodeMemory', value: null })]),
  });
});

test('the command line knows no address of its own: every path comes from the contract', () => {
  const sources = join(import.meta.dirname, '..', 'src');
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  );
  expect(files.length).toBeGreaterThan(40);
  expect(
    files.filter((file) =>
      /\/(api|session|kernel|healthz)\/|['"`]\/api/.test(
        readFileSync(join(sources, file), 'utf8').replaceAll(/^import .*$|import\('.*'\)/gm, ''),
      ),
    ),
  ).toEqual([]);
});
