import type { Run as Answer, RunCodeInput } from '@berth/contract';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Context, Define } from '../command.ts';
import { askSecret } from '../connection/ask-secret.ts';
import type { Connection } from '../connection/connect.ts';
import { patiently } from '../connection/patiently.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Io } from '../io.ts';
import { StdinLines } from '../terminal/stdin-lines.ts';
import { writeOut } from '../terminal/write-out.ts';

interface RunOptions {
  readonly code?: string;
  readonly clean?: string;
  readonly build?: string;
  readonly exec?: string;
  readonly timeout?: string;
}

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .argument('[file]', 'run what is in this file; - is stdin')
    .option('-c, --code <code>', 'run this')
    .option('--clean <command>', 'batch: run this shell command first; "*" is the usual one')
    .option('--build <command>', 'batch: then this; when it fails nothing else is run, and the exit code is 127')
    .option('--exec <command>', 'batch: then this')
    .option('--timeout <duration>', 'interrupt it when it takes longer')
    .action((session: string, file: string | undefined, options: RunOptions) =>
      run((context) => runCode({ session, file, options }, context)),
    );
};

interface Wish {
  readonly session: string;
  readonly file: string | undefined;
  readonly options: RunOptions;
}

export async function runCode({ session, file, options }: Wish, context: Context): Promise<number> {
  const { io } = context;
  const body = await asked({ file, options }, io);
  const connection = await context.connect();
  const { id } = await connection.client.getSession({ params: { session } });
  const running = new RunningCode(connection, id, context);
  const release = io.onSignal('SIGINT', () => running.interrupt());
  try {
    return await running.follow(body);
  } finally {
    release();
  }
}

async function asked({ file, options }: Omit<Wish, 'session'>, io: Io): Promise<RunCodeInput> {
  const { code, clean, build, exec, timeout } = options;
  const isBatch = [clean, build, exec].some((command) => command !== undefined);
  const ways = [file !== undefined, code !== undefined, isBatch].filter(Boolean).length;
  if (ways !== 1) {
    throw new Failure('usage', 'say what to run, in one way: a file, - for stdin, -c CODE, or --clean, --build and --exec for a batch.');
  }
  const limit = timeout === undefined ? {} : { timeout };
  if (isBatch) return { mode: 'batch', options: { clean, build, exec }, ...limit };
  return { mode: 'query', code: code ?? (file === '-' ? await text(io.stdin) : readCode(file ?? '')), ...limit };
}

function readCode(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('usage', `"${file}" cannot be read: ${why}`, { cause: error });
  }
}

class RunningCode {
  readonly #connection: Connection;
  readonly #session: string;
  readonly #context: Context;
  readonly #input: StdinLines;
  /** Of our own, so that a request that is repeated runs nothing twice. */
  readonly #runId = randomUUID();
  #interrupts = 0;

  constructor(connection: Connection, session: string, context: Context) {
    this.#connection = connection;
    this.#session = session;
    this.#context = context;
    this.#input = new StdinLines(context.io.stdin);
  }

  /** Prints what it prints until it has ended; answers the exit code. */
  async follow(body: RunCodeInput): Promise<number> {
    for (let next = body; ;) {
      const answer = await this.#ask(next);
      await show(answer, this.#context);
      const { status } = answer;
      if (status === 'finished' || status === 'exec-timeout' || status === 'lost') return this.#exitCode(answer);
      next = status === 'waiting-input' ? { mode: 'input', code: await this.#line(answer) } : { mode: 'continue' };
    }
  }

  /** Ctrl+C: once for the code, once more for the one who waits. */
  interrupt(): void {
    const { io } = this.#context;
    this.#interrupts += 1;
    if (this.#interrupts > 1) return io.exit(EXIT.interrupted);
    io.stderr.write('Interrupting it. Ctrl+C again leaves it to itself.\n');
    void this.#stop().catch((error: unknown) =>
      io.stderr.write(`It was not interrupted: ${error instanceof Error ? error.message : String(error)}\n`),
    );
  }

  async #stop(): Promise<void> {
    await this.#connection.client.interruptSession({ params: { session: this.#session }, body: { runId: this.#runId } });
  }

  #ask(body: RunCodeInput): Promise<Answer> {
    const request = { params: { session: this.#session }, body: { ...body, runId: this.#runId } };
    return patiently(() => this.#connection.client.runInSession(request));
  }

  async #line({ isPassword }: Answer): Promise<string> {
    const { io } = this.#context;
    const line = isPassword && io.stdin.isTTY === true ? await askSecret('', io) : await this.#input.next();
    if (line !== undefined) return line;
    await this.#stop();
    throw new Failure('failed', 'the code asks for input, and there is none (any more): it was interrupted.');
  }

  #exitCode({ status, exitCode, raised }: Answer): number {
    if (status === 'lost') throw new Failure('failed', 'the session ended, or was started again, before the code had ended.');
    if (this.#interrupts > 0 && raised) return EXIT.interrupted;
    return exitCode || Number(raised);
  }
}

async function show(answer: Answer, { io, json }: Context): Promise<void> {
  if (json) {
    const isNews = answer.status !== 'continued' || answer.console.length > 0;
    if (isNews) await writeOut(io.stdout, Buffer.from(`${JSON.stringify(answer)}\n`));
    return;
  }
  for (const { stream, text: printed } of answer.console) await writeOut(io[stream], Buffer.from(printed));
}
