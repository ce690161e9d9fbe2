import { FileRefusal, isRefusalKind } from '../../domain/files/file-refusal.ts';
import type { ContainerRef, Runtime, Terminal } from '../../runtimes/runtime.ts';
import { Patience, type Limits } from './patience.ts';

const LONGEST_ANSWER = 4096;
const KEPT_COMPLAINT = 2048;

interface Start {
  readonly script: string;
  readonly args: readonly string[];
  /** What it is about, for sentences. */
  readonly path: string;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** One of the scripts of this folder in a container: it prints a line that answers, then whatever bytes there are. */
export class ScriptRun {
  readonly #terminal: Terminal;
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #patience: Patience;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #onAbort = (): void => this.close();
  #left: Buffer = Buffer.alloc(0);
  #complaint = '';
  #ended = false;
  #closed = false;

  private constructor(terminal: Terminal, { path, limits, signal }: Start) {
    this.#terminal = terminal;
    this.#path = path;
    this.#signal = signal;
    this.#patience = new Patience(limits, () => this.close());
    this.#chunks = terminal.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    terminal.stderr.on('data', (data: Buffer) => {
      if (this.#complaint.length < KEPT_COMPLAINT) this.#complaint += data.toString();
    });
    // Each stream's failure shows in the other's: its end without an answer.
    for (const stream of [terminal.stdin, terminal.stderr]) stream.on('error', () => undefined);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  static async start(runtime: Runtime, ref: ContainerRef, start: Start): Promise<ScriptRun> {
    start.signal.throwIfAborted();
    const terminal = await runtime.exec(ref, { command: ['/bin/sh', '-c', start.script, 'berth', ...start.args], tty: null });
    const run = new ScriptRun(terminal, start);
    if (start.signal.aborted) run.close();
    return run;
  }

  /** The words of its first line. Throws FileRefusal where it refuses, or ends without a word. */
  async answer(): Promise<readonly string[]> {
    let said: Buffer = Buffer.alloc(0);
    while (said.length < LONGEST_ANSWER) {
      const chunk = await this.#next();
      if (chunk === undefined) throw await this.#silence();
      said = Buffer.concat([said, chunk]);
      const end = said.indexOf('\n');
      if (end < 0) continue;
      this.#left = said.subarray(end + 1);
      return this.#accepted(said.toString('utf8', 0, end).split(' '));
    }
    throw new FileRefusal('interrupted', this.#path);
  }

  /** What it prints after its answer; whether that was all, `finished` tells. */
  async *rest(): AsyncGenerator<Buffer> {
    const left = this.#left;
    this.#left = Buffer.alloc(0);
    if (left.length > 0) yield left;
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  /** Throws FileRefusal unless it ended well. */
  async finished(): Promise<void> {
    const code = await this.#exit();
    if (code !== 0) throw new FileRefusal('interrupted', this.#path, this.#words() || `exit code ${code ?? 'unknown'}`);
  }

  /** No faster than it reads, and no further: then its answer tells. Throws what `source` throws. */
  async feed(source: AsyncIterable<Buffer>): Promise<void> {
    const { stdin } = this.#terminal;
    this.#patience.waiting();
    for await (const chunk of source) {
      if (stdin.destroyed || !stdin.writable) return;
      if (!stdin.write(chunk)) await drained(stdin);
      this.#patience.waiting();
    }
    stdin.end();
  }

  /** Ends what has not ended yet. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#patience.stop();
    this.#signal.removeEventListener('abort', this.#onAbort);
    const { exited, stdout } = this.#terminal;
    // What ends by itself needs no hang-up, which would be one more process in there.
    if (this.#ended) return void exited.catch(() => undefined).then(() => this.#terminal.close());
    this.#terminal.close();
    stdout.destroy();
  }

  /** Undefined at the end. Throws where patience, or the client, has come to its own. */
  async #next(): Promise<Buffer | undefined> {
    this.#patience.waiting();
    const chunk = await this.#read();
    this.#patience.resting();
    if (this.#patience.over) throw new FileRefusal('too-slow', this.#path);
    this.#signal.throwIfAborted();
    return chunk;
  }

  async #read(): Promise<Buffer | undefined> {
    try {
      const { value, done } = await this.#chunks.next();
      if (done !== true) return value;
      this.#ended = true;
    } catch {
      // A broken connection is an ended one: what is missing is noticed by whoever counts.
    }
    return undefined;
  }

  async #accepted(words: readonly string[]): Promise<readonly string[]> {
    const [word, kind = '', ...more] = words;
    if (word !== 'refused') return words;
    if (!isRefusalKind(kind)) throw new FileRefusal('interrupted', this.#path);
    // Only then is all there that programs complained of.
    await this.#exit();
    throw new FileRefusal(kind, this.#path, more.join(' ') || (kind === 'unwritable' ? this.#words() : ''));
  }

  #exit(): Promise<number | undefined> {
    this.#ended = true;
    return this.#terminal.exited;
  }

  async #silence(): Promise<FileRefusal> {
    const code = await this.#exit();
    return code === 127 ? new FileRefusal('lacks', this.#path, '/bin/sh') : new FileRefusal('interrupted', this.#path, this.#words());
  }

  /** What programs complained of, as one short line. */
  #words(): string {
    return this.#complaint
      .replaceAll(/[\p{C}\s]+/gu, ' ')
      .trim()
      .slice(0, 200);
  }
}

const drained = (stdin: Terminal['stdin']): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      stdin.off('drain', done).off('close', done);
      resolve();
    };
    stdin.on('drain', done).on('close', done);
  });
