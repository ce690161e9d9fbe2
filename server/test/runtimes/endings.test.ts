import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { eventually, limits, Workbench } from './guarantees.ts';

const MIB = 2 ** 20;
const EAT_MEMORY = 'x=a; while :; do x=$x$x; done';

describe.each(ENGINES)('on $name, the end of a session', ({ host }) => {
  const work = new Workbench(host);

  it('for want of memory is explained, and what was asked for is named', async () => {
    const reserved = await work.ran({ command: ['bash', '-c', EAT_MEMORY], limits: limits({ memoryBytes: 48 * MIB }) });
    expect(reserved).toMatchObject({
      exitCode: 137,
      cause: { code: 'out-of-memory', message: expect.stringContaining('48MiB'), remedy: expect.stringContaining('--memory') },
    });
    const unreserved = await work.ran({ command: ['bash', '-c', EAT_MEMORY], limits: limits({ memoryBytes: 48 * MIB }), reserved: false });
    expect(unreserved.cause).toMatchObject({ code: 'out-of-memory', remedy: expect.stringContaining('No memory was reserved') });
  });

  it('is no failure when only a child ran out of memory', async () => {
    const ended = await work.ran({
      command: ['bash', '-c', `(${EAT_MEMORY}); echo went on; exit 0`],
      limits: limits({ memoryBytes: 48 * MIB }),
    });
    expect(ended).toMatchObject({ exitCode: 0, log: expect.stringContaining('went on') });
    expect(ended.cause).toBeUndefined();
  });

  it.each([['nosuch'], ['/no/such/program']])('is explained when there is no command %s', async (program) => {
    const ended = await work.ran({ command: [program, 'argument'] });
    expect(ended).toMatchObject({ exitCode: 127, cause: { code: 'command-not-found', message: expect.stringContaining(`"${program}"`) } });
  });

  it('is explained when the command is not executable', async () => {
    const ended = await work.ran({ command: ['/etc/hostname'] });
    expect(ended).toMatchObject({ exitCode: 126, cause: { code: 'not-executable' } });
  });

  it("with 127 of a shell is that shell's exit code, not a failure of ours", async () => {
    const ended = await work.ran({ command: ['sh', '-c', 'nosuch'] });
    expect(ended).toMatchObject({ exitCode: 127 });
    expect(ended.cause).toBeUndefined();
  });

  it('is not begun again by who saw it before it was started', async () => {
    const { runtime } = work.bench;
    const ref = await work.created({ command: ['sh', '-c', 'echo ran'] });
    const early = await runtime.inspect(ref);
    await runtime.start(ref, { seen: early });
    await eventually(async () => (await runtime.inspect(ref)).phase).toBe('exited');
    const ended = await runtime.inspect(ref);
    await runtime.start(ref, { seen: early });
    expect(await runtime.inspect(ref)).toEqual(ended);
    await runtime.start(ref, { seen: ended });
    await eventually(async () => (await runtime.inspect(ref)).startedAt).not.toEqual(ended.startedAt);
  });

  it('comes to a login shell by hang-up', async () => {
    const ref = await work.created({ command: [], tty: true, stdin: 'open' });
    const terminal = await work.bench.runtime.attach(ref);
    await work.bench.runtime.start(ref);
    await new Promise((resolve) => terminal.stdout.once('data', resolve));
    await work.bench.runtime.stop(ref, 30);
    expect((await work.bench.runtime.inspect(ref)).exitCode).not.toBe(137);
  });
});

describe.each(ENGINES)('on $name, a command', ({ host }) => {
  const work = new Workbench(host);
  let withEntrypoint = '';

  beforeAll(async () => {
    withEntrypoint = await work.image([{ name: 'etc/', type: 'directory', mode: 0o755 }], 'ENTRYPOINT ["/entry"]');
  });

  it('left out means a login shell, and an image without one is told so', async () => {
    const shell = await work.ran({ command: [], stdin: 'closed' });
    expect(shell.exitCode).toBe(0);
    const none = await work.ran({ command: [], imageDigest: withEntrypoint });
    expect(none).toMatchObject({ exitCode: 127, cause: { code: 'no-shell' } });
  });

  it("replaces the image's entry point, or is handed to it", async () => {
    const replaced = await work.ran({ command: ['/mine'], imageDigest: withEntrypoint });
    expect(replaced.cause?.message).toContain('"/mine"');
    const handed = await work.ran({ command: ['/mine'], imageDigest: withEntrypoint, keepEntrypoint: true });
    expect(handed.cause?.message).toContain('"/entry"');
  });

  it('runs in a login shell that reads what is piped in', async () => {
    const spec = work.spec({ command: [], stdin: 'once' });
    await work.bench.runtime.create(spec);
    const terminal = await work.bench.runtime.attach(spec.ref);
    await work.bench.runtime.start(spec.ref);
    terminal.stdin.end('shopt -q login_shell && echo login; exit 4\n');
    expect(await text(terminal.stdout)).toBe('login\n');
    await eventually(async () => (await work.bench.runtime.inspect(spec.ref)).exitCode).toBe(4);
  });

  it('on a terminal follows its size', async () => {
    const ref = await work.started({ command: ['bash'], tty: true, stdin: 'open' });
    const terminal = await work.bench.runtime.exec(ref, {
      command: ['bash', '-c', 'trap "stty size" WINCH; stty size; while :; do read -t 0.05; done'],
      tty: { rows: 33, cols: 101 },
    });
    let screen = '';
    terminal.stdout.on('data', (data: Buffer) => {
      screen += data.toString();
    });
    await eventually(async () => screen).toContain('33 101');
    await terminal.resize({ rows: 44, cols: 122 });
    await eventually(async () => screen).toContain('44 122');
    terminal.close();
  });

  it('run beside the session ends when its user walks away', async () => {
    const ref = await work.started();
    const terminal = await work.bench.runtime.exec(ref, { command: ['sleep', '4321'], tty: { rows: 24, cols: 80 } });
    await eventually(async () => (await work.inside(ref, 'cat /proc/[0-9]*/cmdline')).output).toContain('4321');
    terminal.close();
    await eventually(async () => (await work.inside(ref, 'cat /proc/[0-9]*/cmdline')).output).not.toContain('4321');
  });
});
