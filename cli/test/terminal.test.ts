// oxlint-disable no-control-regex -- a terminal is steered by them
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BerthOnTerminal, freshEnvironment } from './run-berth.ts';
import { StandInServer } from './stand-in-server.ts';

let server: StandInServer;
let env: NodeJS.ProcessEnv;
let berth: BerthOnTerminal | undefined;

beforeEach(async () => {
  server = await new StandInServer().listen();
  env = freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token });
  server.workload = {
    start: (process) => process.write('stdout', 'prompt$ '),
    input: (bytes, process) => {
      if (bytes.includes('q')) process.exit(7);
      else process.write('stdout', `<${bytes.toString('hex')}>`);
    },
    resize: (rows, cols, process) => process.write('stdout', `[${rows}x${cols}]`),
  };
});
afterEach(async () => {
  berth?.child.kill('SIGKILL');
  await berth?.ended;
  await server.stop();
});

function enter(...flags: string[]): BerthOnTerminal {
  return (berth = new BerthOnTerminal(['session', 'create', ...flags], env));
}
const states = (): string[] => [...server.sessions.values()].map(({ session }) => session.state);

test('keys arrive one by one, Ctrl+C included; the size is told and follows; the exit code is passed on', async () => {
  const shell = enter();
  await shell.prints(/prompt\$ /, 'stdout');
  await shell.prints(/\[24x80\]/, 'stdout');
  expect(await shell.mode()).toBe('raw');
  shell.type('a\x03');
  await shell.prints(/<6103>|<61><03>/, 'stdout');
  shell.resize(40, 100);
  await shell.prints(/\[40x100\]/, 'stdout');
  shell.type('q');
  expect(await shell.ended).toMatchObject({ code: 7 });
  expect(server.requests.find(({ path }) => path.endsWith('/attach'))?.body).toMatchObject({ rows: '24', cols: '80' });
});

test('the detach keys leave the session running and say how to come back; a beginning of them is a key like others', async () => {
  const shell = enter();
  await shell.prints(/\[24x80\]/, 'stdout');
  shell.type('\x10x');
  await shell.prints(/<1078>/, 'stdout');
  shell.type('\x10\x11');
  expect(await shell.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/Detached; .*berth session attach 0199/) });
  expect(states()).toEqual(['running']);
});

test('Ctrl+C while it starts cancels the session', async () => {
  server.launch = () => undefined;
  const shell = enter();
  await shell.prints(/Verifying image/, 'stdout');
  shell.type('\x03');
  expect(await shell.ended).toMatchObject({ code: 130, stdout: expect.stringContaining('Cancelled session') });
  expect(states()).toEqual(['cancelled']);
});

test('progress is one line that is rewritten', async () => {
  server.launch = (id) => server.tell(id, 'progress', 'layer 1 of 2');
  const shell = enter();
  await shell.prints(/Layer 1 of 2/, 'stdout');
  const [id = ''] = server.sessions.keys();
  server.tell(id, 'progress', 'layer 2 of 2');
  await shell.prints(/\r\x1b\[KLayer 2 of 2/, 'stdout');
  server.run(id);
  await shell.prints(/\r\x1b\[KNothing is reserved[^\n]*\r\nprompt\$ /, 'stdout');
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s leaves the session running and the terminal as it was', async (signal) => {
  const shell = enter();
  await shell.prints(/\[24x80\]/, 'stdout');
  const [pid = 0] = await childrenOf(shell.child.pid ?? 0);
  process.kill(pid, signal);
  await shell.prints(/The session goes on/, 'stdout');
  expect(await shell.ended).toMatchObject({ code: signal === 'SIGTERM' ? 143 : 130 });
  expect(states()).toEqual(['running']);
});

test('a terminal that goes away ends the command line; the session goes on', async () => {
  const shell = enter();
  await shell.prints(/\[24x80\]/, 'stdout');
  shell.hangUp();
  expect((await shell.ended).code).toBe(129);
  expect(states()).toEqual(['running']);
});

test('a server that restarts redraws the screen and takes keys again', async () => {
  const shell = enter();
  await shell.prints(/\[24x80\]/, 'stdout');
  await server.stop();
  await shell.prints(/connection to the server was lost/, 'stdout');
  await server.listen();
  await shell.prints(/connected again[^]*\x1b\[2Jprompt\$ /, 'stdout');
  shell.type('k');
  await shell.prints(/<6b>/, 'stdout');
  shell.type('q');
  expect(await shell.ended).toMatchObject({ code: 7 });
});

test('who is cut off from a full-screen program has a usable terminal', async () => {
  server.workload = { start: (process) => process.write('stdout', '\x1b[?1049h\x1b[?25l\x1b[?1000hfull screen') };
  const shell = enter();
  await shell.prints(/full screen/, 'stdout');
  shell.type('\x10\x11');
  const { stdout } = await shell.ended;
  expect(stdout).toMatch(/full screen[^]*\x1b\[\?1049l\x1b\[\?1000l\x1b\[\?25h/);
});

test('without an argument attach enters the only session that runs, and two see the same', async () => {
  const first = enter();
  await first.prints(/\[24x80\]/, 'stdout');
  const second = new BerthOnTerminal(['session', 'attach'], env);
  await second.prints(/prompt\$ /, 'stdout');
  first.type('z');
  await second.prints(/<7a>/, 'stdout');
  second.type('q');
  expect([await first.ended, await second.ended]).toMatchObject([{ code: 7 }, { code: 7 }]);
});

test('exec opens a terminal of its own; ending it leaves the session running', async () => {
  const first = enter();
  await first.prints(/\[24x80\]/, 'stdout');
  const [id = ''] = server.sessions.keys();
  const second = new BerthOnTerminal(['session', 'exec', id], env);
  await second.prints(/\[24x80\]/, 'stdout');
  second.type('q');
  expect(await second.ended).toMatchObject({ code: 7 });
  expect(states()).toEqual(['running']);
});

test('a token is asked for without showing it, again after a bad one, and then remembered 0600', async () => {
  const { mode } = await import('node:fs').then(({ statSync }) => ({ mode: (path: string) => (statSync(path).mode & 0o777).toString(8) }));
  delete env['BERTH_TOKEN'];
  const who = new BerthOnTerminal(['whoami'], env);
  await who.prints(/Token \(not shown\): /, 'stdout');
  who.type('wrong\r');
  await who.prints(/refused[^]*Token \(not shown\): /, 'stdout');
  who.type(`${server.token}\r`);
  const { code, stdout } = await who.ended;
  expect(code).toBe(0);
  expect(stdout).not.toContain(server.token);
  expect(stdout).toContain(`ada (admin) at ${server.url}`);
  const config = `${env['HOME']}/.config/berth/config.json`;
  expect([mode(config), mode(`${env['HOME']}/.config/berth`)]).toEqual(['600', '700']);
  const again = new BerthOnTerminal(['whoami'], env);
  expect(await again.ended).toMatchObject({ code: 0, stdout: expect.not.stringContaining('Token') });
});

async function childrenOf(pid: number): Promise<number[]> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').map(Number);
}
