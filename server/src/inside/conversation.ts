import { setTimeout as delay } from 'node:timers/promises';
import { CONSOLE_LIMIT } from '../domain/execution/console.ts';
import { RuntimeError, type ContainerRef, type Runtime, type Terminal } from '../runtimes/runtime.ts';
import { HeardBytes } from './heard-bytes.ts';

/** A character outside the basic plane in JSON: two escapes of a surrogate each. */
const MOST_BYTES_EACH = 12;
/** What an answer may have: the most that one answer's console holds, of both streams and escaped throughout, and what is said around it. */
const MOST_BYTES = 2 * CONSOLE_LIMIT * MOST_BYTES_EACH + 4 * 1024 ** 2;
const KEPT_COMPLAINT = 2000;
const ENDS_WITHIN_MS = 10_000;
const TELLS_EXIT_WITHIN_MS = 2000;

/** A program that Berth brought ended, or was ended, before it had answered. The message is what it said on stderr. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly exitCode: number | undefined;

  constructor(exitCode: number | undefined, complaint: string) {
    super(complaint);
    this.exitCode = exitCode;
  }

  /** What should have run it is not in the container. */
  get isMissing(): boolean {
    return this.exitCode === 126 || this.exitCode === 127;
  }
}

/** A program in a container that is spoken to by lines. What is in there is not trusted: it may say anything, or nothing. */
export class Conversation {
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.hangUp();
  readonly #heard = new HeardBytes();
  #complaint = '';
  #hasEnded = false;
  #news = Promise.withResolvers<void>();

  private constructor(terminal: Terminal, signal: AbortSignal) {
    this.#terminal = terminal;
    this.#signal = signal;
    terminal.stderr.on('data', (data: Buffer) => (this.#complaint = (this.#complaint + data.toString()).slice(-KEPT_COMPLAINT)));
    terminal.stdout.on('data', (data: Buffer) => this.#hear(data));
    for (const end of ['end', 'close', 'error']) terminal.stdout.once(end, () => this.#end());
    // One that reads no more has ended, which is told by its silence.
    terminal.stdin.on('error', () => undefined);
    if (signal.aborted) this.hangUp();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * When the signal fires, the program is hung up on, also one that comes only then. Throws NoAnswer where the command is not
   * there or the signal fires first, else RuntimeError.
   */
  static async open(runtime: Runtime, ref: ContainerRef, how: { command: readonly string[]; signal: AbortSignal }): Promise<Conversation> {
    const opening = runtime.exec(ref, { command: how.command, tty: null }).then(
      (terminal) => new Conversation(terminal, how.signal),
      (error: unknown) => {
        const code = error instanceof RuntimeError ? error.failure.code : undefined;
        throw code === 'command-not-found' || code === 'not-executable' ? new NoAnswer(127, String(error)) : error;
      },
    );
    return Promise.race([opening, aborted(how.signal)]);
  }

  /** One line, or several. */
  say(text: string): void {
    if (!this.#hasEnded) this.#terminal.stdin.write(`${text}\n`);
  }

  /** The next line. Throws NoAnswer when there is none. */
  async line(): Promise<string> {
    for (;;) {
      const line = this.#heard.line();
      if (line !== undefined) return line.toString('utf8');
      await this.#more();
    }
  }

  /** The next so many bytes. Throws NoAnswer when there are fewer. */
  async bytes(count: number): Promise<Buffer> {
    for (;;) {
      const taken = this.#heard.take(count);
      if (taken !== undefined) return taken;
      await this.#more();
    }
  }

  /** Nothing is asked any more: it ends by itself, whoever has gone meanwhile, and is hung up on where it does not. */
  release(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    const timer = setTimeout(() => this.hangUp(), ENDS_WITHIN_MS).unref();
    const ended = (): void => {
      clearTimeout(timer);
      this.hangUp();
    };
    // Its exit code tells nothing that its answer has not told.
    this.#terminal.exited.then(ended, ended);
  }

  hangUp(): void {
    this.#terminal.close();
    this.#end();
  }

  #hear(data: Buffer): void {
    if (this.#hasEnded) return;
    this.#heard.add(data);
    if (this.#heard.length > MOST_BYTES) this.hangUp();
    this.#news.resolve();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#news.resolve();
  }

  async #more(): Promise<void> {
    if (this.#signal.aborted) throw abandoned();
    if (this.#hasEnded) throw new NoAnswer(await this.#exitCode(), this.#complaint.trim());
    await this.#news.promise;
    this.#news = Promise.withResolvers();
  }

  async #exitCode(): Promise<number | undefined> {
    const told = this.#terminal.exited.catch(() => undefined);
    return Promise.race([told, delay(TELLS_EXIT_WITHIN_MS, undefined, { ref: false })]);
  }
}

const abandoned = (): NoAnswer => new NoAnswer(undefined, 'nobody waits any more');

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const abandon = (): void => reject(abandoned());
    if (signal.aborted) abandon();
    else signal.addEventListener('abort', abandon, { once: true });
  });
