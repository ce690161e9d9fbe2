import { afterEach, beforeEach, expect, test } from 'vitest';
import { freshEnvironment, run, start } from './run-berth.ts';
import { runInProcess } from './in-process.ts';
import { StandInServer } from './stand-in-server.ts';

let server: StandInServer;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  server = await new StandInServer().listen();
  env = freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token });
});
afterEach(() => server.stop());

const ID = /0199a3b4-c5d6-7\d{3}/g;
const lines = (text: string): string[] => text.replaceAll(ID, 'ID').trimEnd().split('\n');

test('the launch is told in order: id, image, waiting with its reason, reservation; then only the output', async () => {
  server.workload = { start: (process) => (process.write('stdout', 'out\n'), process.write('stderr', 'err\n'), process.exit(0)) };
  server.launch = (id) => {
    const waiting = { position: 1, of: 2, reasons: [{ node: 'n1', reason: 'needs 1 CPU, 0 free of 2 on n1 (in use by train-7)' }] };
    server.change(id, { waiting });
    server.tell(id, 'waiting', 'waiting');
  };
  const berth = start(['session', 'create', '--cpus', '1', '--', 'true'], env);
  berth.child.stdin.end();
  await berth.prints(/Waiting/);
  const [id = ''] = server.sessions.keys();
  server.move(id, 'pulling', 'layer 1 of 2', { waiting: null, node: 'n1' });
  server.tell(id, 'progress', 'layer 1 of 2');
  await berth.prints(/Layer/);
  server.run(id);
  expect(await berth.ended).toMatchObject({ code: 0, stdout: 'out\n' });
  expect(lines(berth.stderr)).toEqual([
    'Starting session ID... (Press Ctrl+C to cancel)',
    'Verifying image (docker://berth/base)...',
    'Waiting for resources: needs 1 CPU, 0 free of 2 on n1 (in use by train-7). You are 1st of 2.',
    'Reserved 1 CPU on n1.',
    'Layer 1 of 2',
    'err',
  ]);
});

test('a session without a reservation is told what that means', async () => {
  server.workload = { start: (process) => process.exit(0) };
  const { stderr } = await run(['session', 'create', '--', 'true'], env);
  expect(stderr).toMatch(/Nothing is reserved on n1: the session may be killed when memory is short/);
});

test('the exit code of the command is the exit code', async () => {
  server.workload = { start: (process) => process.exit(3) };
  expect(await run(['session', 'create', '--', 'sh', '-c', 'exit 3'], env)).toMatchObject({ code: 3 });
  expect(server.requests[0]?.body).toMatchObject({ command: ['sh', '-c', 'exit 3'], tty: false, stdin: 'once' });
});

test('piped input reaches the session with its end, byte for byte, and its output comes back', async () => {
  const all = Buffer.alloc(3_000_000, 'ä 0123456789 abcdef\n');
  server.workload = {
    input: (bytes, process) => process.write('stdout', bytes),
    inputEnd: (process) => process.exit(0),
  };
  const berth = start(['session', 'create'], env);
  berth.child.stdin.end(all);
  const { code, stdout } = await berth.ended;
  expect(code).toBe(0);
  expect(stdout).toBe(all.toString());
});

test('a command ends although its input does not', async () => {
  server.workload = { start: (process) => process.exit(0) };
  expect(await start(['session', 'create', '--', 'true'], env).ended).toMatchObject({ code: 0 });
});

test('a failure is one line with cause and remedy, and the code of the workload', async () => {
  const cause = { code: 'out-of-memory', message: 'It ran out of memory (limit 64MiB)', remedy: 'Ask for more with --memory' } as const;
  server.workload = { start: (process) => process.exit(137, { state: 'error', cause }) };
  const { code, stderr } = await run(['session', 'create', '--memory', '64MiB', '--', 'hog'], env);
  expect(code).toBe(137);
  expect(lines(stderr).at(-1)).toBe('Error: It ran out of memory (limit 64MiB). Ask for more with --memory.');
});

test('an image that is not there ends it before it ran: start line, image line, error', async () => {
  server.launch = (id) => {
    const cause = { code: 'image-not-found', message: 'No such image: php', remedy: 'Pull it first or leave out --pull never' } as const;
    server.fail(id, 'error', cause, 'no such image');
  };
  const { code, stderr } = await run(['session', 'create', '--image', 'docker://php', '--pull', 'never'], env);
  expect(code).toBe(1);
  expect(lines(stderr)).toEqual([
    'Starting session ID... (Press Ctrl+C to cancel)',
    'Verifying image (docker://php)...',
    'Error: No such image: php. Pull it first or leave out --pull never.',
  ]);
});

test('a create whose answer is lost is asked again and makes one session', async () => {
  server.loseNextAnswer = true;
  server.workload = { start: (process) => setTimeout(() => process.exit(0), 50) };
  expect(await run(['session', 'create', '--', 'true'], env)).toMatchObject({ code: 0 });
  expect(server.sessions.size).toBe(1);
});

test('what the server refuses is said in its words', async () => {
  server.refuse = { code: 'name-taken', detail: 'you have a live session named "train": choose another name' };
  const { code, stderr } = await run(['session', 'create', '--name', 'train'], env);
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'Error: you have a live session named "train": choose another name\n' });
});

test.each([
  [['--memory', '5gb x'], /--memory: "5gb x"/],
  [['--cpus', '-1'], /--cpus: "-1"/],
  [['--cpus', '1e999'], /--cpus: "1e999"/],
  [['--gpus', '1.5'], /--gpus: "1.5"/],
  [['--gpus', 'two'], /--gpus: "two"/],
  [['--pull', 'sometimes'], /--pull: "sometimes".*always.*missing.*never/],
  [['--name', 'X'], /--name: "X"/],
  [['--env', 'NOVALUE'], /--env: "NOVALUE"/],
  [['--env', '1A=b'], /--env/],
  [['--detach-keys', 'ctrl-ö'], /ctrl-ö/],
  [['--port', '99999'], /--port: "99999"/],
])('%j is refused with exit code 2, naming what is wrong, before anything is asked of the server', async (flags, message) => {
  const { code, stderr } = await runInProcess(['session', 'create', ...flags], env);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(server.requests).toEqual([]);
});

test('--detach prints the id alone on stdout, --json the session', async () => {
  const detached = await run(['session', 'create', '--detach'], env);
  const [id = ''] = server.sessions.keys();
  expect(detached.stdout).toBe(`${id}\n`);
  expect(server.get(id).session).toMatchObject({ tty: true, stdin: 'open' });
  const json = await run(['session', 'create', '--json', '--', 'true'], env);
  expect(JSON.parse(json.stdout)).toMatchObject({ state: 'running', command: ['true'], tty: false });
});

test('an interruption while it starts frees the claim and ends with 130', async () => {
  server.launch = () => undefined;
  const berth = start(['session', 'create'], env);
  await berth.prints(/Verifying image/);
  berth.child.kill('SIGINT');
  const { code, stderr } = await berth.ended;
  expect(code).toBe(130);
  expect(lines(stderr).at(-1)).toBe('Cancelled session ID.');
  expect([...server.sessions.values()].map(({ session }) => session.state)).toEqual(['cancelled']);
});

test('an interruption while it runs without a terminal stops the session and ends with 130', async () => {
  server.workload = { start: (process) => process.write('stdout', 'up') };
  const berth = start(['session', 'create', '--', 'sleep', '1000'], env);
  await berth.prints(/up/, 'stdout');
  berth.child.kill('SIGINT');
  expect(await berth.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('Stopping session') });
  expect([...server.sessions.values()].map(({ session }) => session.state)).toEqual(['terminated']);
});

test('a terminal that goes away ends the command line and not the session', async () => {
  server.workload = { start: (process) => process.write('stdout', 'up') };
  const berth = start(['session', 'create', '--', 'sleep', '1000'], env);
  await berth.prints(/up/, 'stdout');
  berth.child.kill('SIGHUP');
  expect(await berth.ended).toMatchObject({ code: 129 });
  expect([...server.sessions.values()].map(({ session }) => session.state)).toEqual(['running']);
});

test('a server that restarts is waited for, and no byte is missing or repeated', async () => {
  server.workload = { start: (process) => process.write('stdout', 'one\n') };
  const berth = start(['session', 'create', '--', 'counter'], env);
  await berth.prints(/one/, 'stdout');
  const [id = ''] = server.sessions.keys();
  await server.stop();
  await berth.prints(/connection to the server was lost/);
  const kept = server.get(id);
  kept.output.push({ stream: 'stdout', bytes: Buffer.from('two\n') }, { stream: 'stderr', bytes: Buffer.from('oops\n') });
  await server.listen();
  await berth.prints(/two/, 'stdout');
  server.change(id, {});
  for (const socket of kept.sockets) socket.terminate();
  server.move(id, 'terminated', 'exit 5', { exitCode: 5 });
  expect(await berth.ended).toMatchObject({ code: 5, stdout: 'one\ntwo\n' });
  expect(berth.stderr.match(/oops/g)).toHaveLength(1);
});

test('piped input that is cut by a lost connection is not passed off as the whole', async () => {
  const berth = start(['session', 'create', '--', 'cat'], env);
  server.workload = { input: (bytes, process) => process.write('stdout', bytes) };
  berth.child.stdin.write('first half');
  await berth.prints(/first half/, 'stdout');
  await server.stop();
  const { code, stderr } = await berth.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/before all of the input was sent/);
});

test('output that nobody reads any more ends the command line as a shell program, and is told', async () => {
  server.workload = { start: (process) => setInterval(() => process.write('stdout', 'y\n'.repeat(1000)), 10).unref() };
  const berth = start(['session', 'create', '--', 'yes'], env);
  await berth.prints(/y/, 'stdout');
  berth.child.stdout.destroy();
  expect(await berth.ended).toMatchObject({ code: 141, stderr: expect.stringContaining('the session goes on') });
});

test('an interruption ends it within two seconds although the server does not answer', async () => {
  server.silent = true;
  const berth = start(['session', 'create'], env);
  await server.asked('/api/sessions');
  berth.child.kill('SIGINT');
  expect(await berth.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('not confirmed') });
});
