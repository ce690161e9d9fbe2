import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunAnswer } from '../../src/domain/execution/run.ts';
import { LocalContainer } from '../support/local-container.ts';
import { Coder, isWithinLimit } from './coder.ts';
import { diesWithAnswer } from './dies-with-answer.ts';

let container: LocalContainer;
let coder: Coder;
beforeAll(async () => {
  container = await LocalContainer.make();
  coder = new Coder(container);
});
afterAll(() => container.remove());

const appears = async (name: string): Promise<void> =>
  expect.poll(() => existsSync(join(container.work, name)), { timeout: 30_000 }).toBe(true);
const release = (name: string): Promise<void> => writeFile(join(container.work, name), '');
/** Code that goes on when a file is there. */
const waitFor = (name: string): string => `import os, time\nwhile not os.path.exists('${name}'): time.sleep(0.01)\n`;

describe('code', () => {
  test('keeps its variables, and tells its last value', async () => {
    expect(await coder.run('x = 41')).toMatchObject({ status: 'finished', exitCode: 0, raised: false, console: [] });
    expect(await coder.run('print("then")\nx + 1')).toMatchObject({ exitCode: 0, stdout: 'then\n42\n', stderr: '' });
    expect((await coder.run('def twice(n):\n  return 2 * n\n\n_ + twice(4)')).stdout).toBe('50\n');
  });

  test('that raises is told with its own lines, ends with 0, and costs no variable', async () => {
    const raised = await coder.run('kept = 1\ndef f():\n  return 1 / 0\nf()');
    expect(raised).toMatchObject({ status: 'finished', exitCode: 0, raised: true, stdout: '' });
    expect(raised.stderr).toMatch(/^Traceback \(most recent call last\):\n {2}File "<input-\d+>", line 4, in <module>\n {4}f\(\)\n/);
    expect(raised.stderr).toMatch(/return 1 \/ 0\n[^]*ZeroDivisionError: division by zero\n$/);
    expect(raised.stderr).not.toContain('berth');
    expect((await coder.run('kept')).stdout).toBe('1\n');
  });

  test('that does not compile is told where', async () => {
    const refused = await coder.run('a = = 1');
    expect(refused).toMatchObject({ exitCode: 0, raised: true });
    expect(refused.stderr).toMatch(/^ {2}File "<input-\d+>", line 1\n[^]*SyntaxError/);
  });

  test('that leaves by sys.exit ends with its code and keeps its variables', async () => {
    await coder.run('stays = "here"');
    expect(await coder.run('import sys; sys.exit(3)')).toMatchObject({ exitCode: 3, raised: false, stderr: '' });
    expect(await coder.run('sys.exit("why")')).toMatchObject({ exitCode: 1, stderr: 'why\n' });
    expect((await coder.run('stays')).stdout).toBe("'here'\n");
  });

  test('starts in the work folder, and what lies there does not disturb Berth', async () => {
    const other = await LocalContainer.make();
    try {
      const names = ['socket.py', 'json.py', 'signal.py', 'select.py', 'ast.py'];
      for (const name of names) await writeFile(join(other.work, name), 'raise SystemExit("not the real one")\n');
      await writeFile(join(other.work, 'mine.py'), 'value = 7\n');
      const { stdout } = await new Coder(other).run('import os, mine\n(os.getcwd(), mine.value)');
      expect(stdout).toBe(`('${other.work}', 7)\n`);
    } finally {
      await other.remove();
    }
  });

  test('that ends the interpreter is told so, and the next begins afresh', async () => {
    await coder.run('gone = 1');
    const ended = await coder.run('import os\nprint("last words", flush=True)\nos._exit(3)');
    expect(ended).toMatchObject({ status: 'finished', exitCode: 3, raised: true, stdout: 'last words\n' });
    expect(ended.stderr).toContain('its variables are gone');
    expect((await coder.run('gone')).stderr).toContain('NameError');
  });

  test('that forks does not run twice', async () => {
    const code = 'import os\nchild = os.fork()\nif child: os.waitpid(child, 0)\nprint("parent" if child else "child")';
    expect((await coder.run(code)).stdout).toBe('child\nparent\n');
    expect((await coder.run('"still here"')).stdout).toBe("'still here'\n");
  });

  test('that takes longer than it may is interrupted, and ended when it does not heed that', async () => {
    const late = await coder.run('import time\nwhile True: time.sleep(1)', { timeoutMs: 300 });
    expect(late).toMatchObject({ status: 'exec-timeout', exitCode: 124 });
    expect(late.stderr).toContain('KeyboardInterrupt');
    const deaf = await coder.run('import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass', { timeoutMs: 300 });
    expect(deaf).toMatchObject({ status: 'exec-timeout', exitCode: 124 });
    expect((await coder.run('1')).stdout).toBe('1\n');
  });
});

describe('what is printed', () => {
  test('keeps its order over both streams, and over what other programs print', async () => {
    const { console } = await coder.run('import sys\nfor number in range(100): print(number); print(number, file=sys.stderr)');
    const numbers = Array.from({ length: 100 }, (_, number) => ({ text: `${number}\n` }));
    expect(console).toEqual(
      numbers.flatMap(({ text }) => [
        { stream: 'stdout', text },
        { stream: 'stderr', text },
      ]),
    );
    const { stdout } = await coder.run('import os\nfor number in range(20): print(number); os.system("echo sh %d" % number)');
    expect(stdout).toBe(Array.from({ length: 20 }, (_, number) => `${number}\nsh ${number}\n`).join(''));
  });

  test('is told while the code runs', async () => {
    const first = await coder.ask({ code: `print("begun")\n${waitFor('go-on')}print("ended")` }, { waitMs: 2000 });
    expect(first).toMatchObject({ status: 'continued', exitCode: null });
    await release('go-on');
    expect((await coder.follow(first)).stdout).toBe('begun\nended\n');
  });

  test('comes complete however much it is, no answer larger than it may be', async () => {
    const ran = await coder.run('for _ in range(30000): print("é" * 99)\nimport sys; print("done", file=sys.stderr)');
    expect(ran.stdout.length).toBe(3_000_000);
    expect(new Set(ran.stdout.split('\n'))).toEqual(new Set(['é'.repeat(99), '']));
    expect(ran.stderr).toBe('done\n');
    expect(ran.answers.filter((answer) => !isWithinLimit(answer))).toEqual([]);
    expect(ran.answers.length).toBeGreaterThan(5);
  });

  test('is kept up to a limit when nobody reads, and the code goes on', async () => {
    const { runId } = await coder.ask({ code: 'for _ in range(50000): print("x" * 99)\nopen("unread", "w").close()' }, { waitMs: 0 });
    await appears('unread');
    const ran = await coder.follow(await coder.ask({ mode: 'continue', runId }));
    expect(ran.stdout.length).toBeLessThan(2 ** 21);
    expect(ran.stderr).toMatch(/^\[\d+ characters are left out here: nobody was reading\]\n$/);
  });

  test('by what goes on in the background comes with the next run', async () => {
    await coder.run(`import threading\ndef work():\n  ${waitFor('background').replaceAll('\n', '\n  ')}\n  print("from behind", flush=True)\n  open("printed", "w").close()
threading.Thread(target=work, daemon=True).start()`);
    await release('background');
    await appears('printed');
    expect((await coder.run('print("next")')).stdout).toBe('from behind\nnext\n');
  });

  test('may be any bytes', async () => {
    expect((await coder.run('import sys; sys.stdout.buffer.write(b"\\xff\\xc3\\n"); sys.stdout.flush(); None')).stdout).toBe(
      '\uFFFD\uFFFD\n',
    );
  });
});

describe('input', () => {
  test('is asked for, and told to the code', async () => {
    const asked = await coder.ask({ code: 'name = input("who? ")\nprint("hello", name)' });
    expect(asked).toMatchObject({ status: 'waiting-input', isPassword: false, console: [{ stream: 'stdout', text: 'who? ' }] });
    expect(await coder.ask({ mode: 'continue', runId: asked.runId })).toMatchObject({ status: 'waiting-input', console: [] });
    expect((await coder.follow(asked, () => 'Ada Ł')).stdout).toBe('who? hello Ada Ł\n');
  });

  test('that is secret is told apart, and anything that reads from stdin asks', async () => {
    const asked: boolean[] = [];
    const first = await coder.ask({
      code: 'import getpass, sys\nsecret = getpass.getpass()\nline = sys.stdin.readline()\nprint([secret, line])',
    });
    const ran = await coder.follow(first, ({ isPassword }) => (asked.push(isPassword), `answer ${asked.length}`));
    expect(asked).toEqual([true, false]);
    expect(ran.stdout).toBe("Password: ['answer 1', 'answer 2\\n']\n");
  });

  test('that nobody asked for is refused', async () => {
    const { runId } = await coder.ask({ code: waitFor('no-input') }, { waitMs: 0 });
    await expect(coder.ask({ mode: 'input', runId, code: 'x' })).rejects.toMatchObject({ code: 'wrong-state' });
    await release('no-input');
    await coder.follow(await coder.ask({ mode: 'continue', runId }));
  });
});

describe('an interrupt', () => {
  test.each([
    ['a busy loop', 'print("on", flush=True)\nwhile True: pass'],
    ['a sleep', 'import time\nprint("on", flush=True)\ntime.sleep(600)'],
    ['another program', 'import subprocess\nprint("on", flush=True)\nsubprocess.run(["sleep", "600"])'],
  ])('ends %s, and no variable is lost', async (_, code) => {
    await coder.run('kept = "through it all"');
    const first = await coder.ask({ code }, { waitMs: 2000 });
    expect(first.console).toEqual([{ stream: 'stdout', text: 'on\n' }]);
    await coder.executor.interrupt(coder.session, null);
    const ended = await coder.follow(first);
    expect(ended).toMatchObject({ status: 'finished', exitCode: 0, raised: true });
    expect(ended.stderr).toMatch(/KeyboardInterrupt\n$/);
    expect((await coder.run('kept')).stdout).toBe("'through it all'\n");
  });

  test('ends the waiting for input', async () => {
    const asked = await coder.ask({ code: 'input()' });
    await coder.executor.interrupt(coder.session, asked.runId);
    expect(await coder.ask({ mode: 'continue', runId: asked.runId })).toMatchObject({ status: 'finished', raised: true });
  });

  test('that comes right after the code is not too early', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { runId } = await coder.ask({ code: 'while True: pass' }, { waitMs: 0 });
      await coder.executor.interrupt(coder.session, runId);
      expect(await coder.follow(await coder.ask({ mode: 'continue', runId }))).toMatchObject({ status: 'finished', raised: true });
    }
  });

  test('with nothing to interrupt does nothing', async () => {
    await coder.executor.interrupt(coder.session, null);
    await coder.executor.interrupt(coder.session, 'no-such-run');
    expect((await coder.run('"fine"')).stdout).toBe("'fine'\n");
  });

  test('of a run that still waits for its turn takes it out', async () => {
    const first = await coder.ask({ code: waitFor('turn') }, { waitMs: 0 });
    const second = await coder.ask({ code: 'print("never")' }, { waitMs: 0 });
    await coder.executor.interrupt(coder.session, second.runId);
    await release('turn');
    expect(await coder.follow(first)).toMatchObject({ raised: false });
    expect(await coder.follow(second)).toMatchObject({ exitCode: 130, raised: true, stdout: '' });
  });
});

describe('runs', () => {
  test('come one after the other, in the order in which they were asked for', async () => {
    const runs: RunAnswer[] = [await coder.ask({ code: `order = []\n${waitFor('first')}` }, { waitMs: 0 })];
    for (let number = 0; number < 8; number += 1) runs.push(await coder.ask({ code: `order.append(${number})` }, { waitMs: 0 }));
    expect(runs.map(({ status }) => status)).toEqual(runs.map(() => 'continued'));
    await release('first');
    await Promise.all(runs.map((run) => coder.follow(run)));
    expect((await coder.run('order == list(range(8))')).stdout).toBe('True\n');
  });

  test('that are asked for again are not run again; another one needs another id', async () => {
    await coder.run('times = 0');
    const code = `times += 1\n${waitFor('again')}times`;
    const asked = { runId: 'mine', code };
    const [first] = await Promise.all([coder.ask(asked, { waitMs: 0 }), coder.ask(asked, { waitMs: 0 }), coder.ask(asked, { waitMs: 0 })]);
    await expect(coder.ask({ runId: 'mine', code: 'other' })).rejects.toMatchObject({ code: 'invalid-field', field: 'runId' });
    await release('again');
    expect((await coder.follow(first)).stdout).toBe('1\n');
    expect((await coder.run('"an id is free when its run has ended"', { runId: 'mine' })).stdout).toContain('free');
  });

  test('that nobody knows are lost', async () => {
    expect(await coder.ask({ mode: 'continue', runId: 'never-was' })).toMatchObject({ status: 'lost', exitCode: 130, console: [] });
  });
});

describe('a batch', () => {
  test('cleans, builds and runs, and tells the end of each', async () => {
    await coder.run('import os; before_batch = os.getpid()');
    const first = await coder.ask({
      mode: 'batch',
      batch: { clean: 'echo clean; false', build: 'echo build', exec: 'echo run >&2; exit 3' },
    });
    const ran = await coder.follow(first);
    const told = ran.answers.filter(({ status }) => status !== 'continued').map(({ status, exitCode }) => [status, exitCode]);
    expect(told).toEqual([
      ['clean-finished', 1],
      ['build-finished', 0],
      ['finished', 3],
    ]);
    expect([ran.stdout, ran.stderr]).toEqual(['clean\nbuild\n', 'run\n']);
    expect((await coder.run('os.getpid() == before_batch')).stdout).toBe('True\n');
  });

  test.each([
    ['that cannot be built ends with 127', { build: 'exit 2', exec: 'echo never' }, 127],
    ['ends with the code of what ran last', { clean: 'exit 5' }, 5],
    ['whose command is not there ends with 127', { exec: 'no-such-program' }, 127],
    ['has nothing to run where nothing lies', { clean: '*', build: '*', exec: '*' }, 127],
  ])('%s', async (_, batch, exitCode) => {
    const ran = await coder.follow(await coder.ask({ mode: 'batch', batch }));
    expect(ran).toMatchObject({ status: 'finished', exitCode });
    expect(ran.stdout).not.toContain('never');
  });

  test('runs main.py by itself', async () => {
    await writeFile(join(container.work, 'main.py'), 'print("main")\nraise SystemExit(4)\n');
    expect(await coder.follow(await coder.ask({ mode: 'batch', batch: { exec: '*' } }))).toMatchObject({ stdout: 'main\n', exitCode: 4 });
  });

  test('is interrupted as a whole', async () => {
    const first = await coder.ask({ mode: 'batch', batch: { clean: 'echo on; sleep 600', exec: 'echo never' } }, { waitMs: 2000 });
    await coder.executor.interrupt(coder.session, null);
    const ended = await coder.follow(first);
    expect(ended).toMatchObject({ status: 'finished', exitCode: 130, stdout: 'on\n' });
  });
});

describe('completion', () => {
  test('knows what the code has made', async () => {
    await coder.run('import os\nclass Thing:\n  colour = 1\nthing = Thing()');
    expect(await coder.executor.complete(coder.session, 'y = os.pat')).toContain('os.path');
    expect(await coder.executor.complete(coder.session, 'thing.col')).toEqual(['thing.colour']);
    expect(await coder.executor.complete(coder.session, 'thing.')).toContain('thing.colour');
    expect(await coder.executor.complete(coder.session, '')).toEqual([]);
    expect(await coder.executor.complete(coder.session, 'no_such_thing.')).toEqual([]);
  });

  test('is empty while code runs', async () => {
    const first = await coder.ask({ code: waitFor('busy') }, { waitMs: 0 });
    expect(await coder.executor.complete(coder.session, 'os.')).toEqual([]);
    await release('busy');
    await coder.follow(first);
  });
});

describe('servers come and go', () => {
  test('what runs goes on, and what nobody heard is told to the next one', async () => {
    await coder.run('x = 41');
    const gone = new AbortController();
    const running = coder.ask({ runId: 'goes-on', code: `print("one")\n${waitFor('server')}print("two", x + 1)` }, { waitMs: 0 });
    await running;
    const asking = coder.ask({ mode: 'continue', runId: 'goes-on' }, { waitMs: 2000, signal: gone.signal });
    gone.abort();
    await expect(asking).rejects.toMatchObject({ code: 'shutting-down' });
    await release('server');
    const other = new Coder(container);
    const answers = await other.follow(await other.ask({ mode: 'continue', runId: 'goes-on' }));
    expect((await running).console.map(({ text }) => text).join('') + answers.stdout).toBe('one\ntwo 42\n');
    expect((await other.run('x')).stdout).toBe('41\n');
  });

  test('an answer that has arrived does not come again, however soon its reader goes', async () => {
    for (let round = 0; round < 5; round += 1) {
      const gone = new AbortController();
      const first = await coder.ask({ mode: 'batch', batch: { build: 'echo built', exec: 'echo run' } }, { signal: gone.signal });
      gone.abort();
      expect((await coder.follow(first)).stdout).toBe('built\nrun\n');
    }
  });

  test('one that dies with the answer in its hands loses nothing', async () => {
    const dying = new Coder({
      inspect: (ref) => container.inspect(ref),
      exec: async (ref, request) => diesWithAnswer(await container.exec(ref, request)),
    });
    await expect(dying.ask({ runId: 'unheard', code: 'print("heard by somebody")' })).rejects.toThrow();
    expect((await coder.follow(await coder.ask({ mode: 'continue', runId: 'unheard' }))).stdout).toBe('heard by somebody\n');
  });

  test('two that come at once find one and the same interpreter', async () => {
    const fresh = await LocalContainer.make();
    try {
      const ran = await Promise.all(Array.from({ length: 4 }, () => new Coder(fresh).run('import os; os.getpid()')));
      expect(new Set(ran.map(({ stdout }) => stdout)).size).toBe(1);
    } finally {
      await fresh.remove();
    }
  });

  test('a session that ends under its code answers that it has', async () => {
    const mortal = await LocalContainer.make();
    try {
      const owner = new Coder(mortal);
      const { runId } = await owner.ask({ code: 'import time; time.sleep(600)' }, { waitMs: 0 });
      const asking = owner.ask({ mode: 'continue', runId }, { waitMs: 10_000 });
      await delay(0);
      mortal.phase = 'exited';
      await mortal.stop();
      expect(await asking).toEqual({ runId, status: 'lost', exitCode: 130, raised: false, isPassword: false, console: [] });
    } finally {
      await mortal.remove();
    }
  });

  test('an agent that was killed is replaced, and its runs are lost', async () => {
    const fresh = await LocalContainer.make();
    try {
      const owner = new Coder(fresh);
      const { runId } = await owner.ask({ code: 'import time; time.sleep(600)' }, { waitMs: 0 });
      await fresh.stop();
      expect(await owner.ask({ mode: 'continue', runId })).toMatchObject({ status: 'lost' });
      expect((await owner.run('1 + 1')).stdout).toBe('2\n');
    } finally {
      await fresh.remove();
    }
  });

  test('an engine that does not answer holds nobody up', async () => {
    const stuck = new Coder({ inspect: () => new Promise(() => undefined), exec: () => new Promise(() => undefined) });
    const [asked, begun] = await Promise.allSettled([
      stuck.ask({ mode: 'continue', runId: 'some' }, { waitMs: 0 }),
      stuck.ask({ code: '1' }, { waitMs: 0 }),
    ]);
    expect(asked).toMatchObject({ value: { status: 'continued', exitCode: null, console: [] } });
    expect(begun).toMatchObject({ reason: { code: 'engine-unavailable' } });
  });

  test('nobody else can look into the folder of the agent', async () => {
    const tmp = join(container.work, '../tmp');
    const name = (await readdir(tmp)).find((one) => one.startsWith('berth-')) ?? '';
    const { stdout } = await coder.run(`import os, stat\nstat.filemode(os.stat(${JSON.stringify(join(tmp, name))}).st_mode)`);
    expect(stdout).toBe("'drwx------'\n");
    const left = (await readdir(join(tmp, name))).filter((file) => file.endsWith('.log'));
    expect(await Promise.all(left.map((file) => readFile(join(tmp, name, file), 'utf8')))).toEqual(left.map(() => ''));
  });
});
