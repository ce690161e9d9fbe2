import type { Readable } from 'node:stream';
import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import type { Terminal } from '../runtimes/runtime.ts';
import { Bell } from './bell.ts';
import { bytesIn, merged, Skipping, withoutReturns, type LogStream } from './log-chunks.ts';
import { alreadyIn } from '../domain/sessions/overlap.ts';

const STREAMS = ['stdout', 'stderr'] as const;
const SETTLE_MS = 50;
const HIGH_WATER = 1024 * 1024;

/** What an attached process prints from the moment of attaching: held while the log before it is read, then handed on as it comes. */
export class LiveOutput {
  readonly #terminal: Terminal;
  readonly #bell = new Bell();
  #held: KeptChunk[] = [];
  #heldBytes = 0;
  #open: number = STREAMS.length;
  #hasPrinted = false;
  /** While the log is being read everything is taken, whatever its size: bytes not taken could not be compared. */
  #greedy = true;
  readonly #apart: boolean;
  #skipping = new Skipping(0);

  /** `logsApart`: as the runtime says. */
  constructor(terminal: Terminal, { logsApart }: { readonly logsApart: boolean } = { logsApart: true }) {
    this.#terminal = terminal;
    this.#apart = logsApart;
    for (const stream of STREAMS) this.#listen(stream, terminal[stream]);
  }

  /** Anything at all since attaching. */
  get hasPrinted(): boolean {
    return this.#hasPrinted;
  }

  /** All streams have ended, and all of it has been handed on. */
  get drained(): boolean {
    return this.#open === 0 && this.#held.length === 0;
  }

  /** Goes on where this log ends. Both ways from the engine run at their own pace: what is late is waited for, and left out when it comes. */
  async continueAfter(log: readonly KeptChunk[], signal: AbortSignal): Promise<void> {
    if (log.length > 0 && this.#held.length === 0) await this.#bell.wait(SETTLE_MS, signal);
    const inLog = (stream: LogStream): number => alreadyIn(bytesIn(log, stream), bytesIn(this.#held, stream));
    this.#skipping = this.#apart
      ? new Skipping({ stdout: inLog('stdout'), stderr: inLog('stderr') })
      : new Skipping(alreadyIn(withoutReturns(bytesIn(log, 'stdout')), withoutReturns(Buffer.concat(this.#held.map(({ data }) => data)))));
    this.#greedy = false;
  }

  /** Until the streams end or the signal fires. */
  async *chunks(signal: AbortSignal): AsyncGenerator<KeptChunk> {
    while (!signal.aborted && !this.drained) {
      const held = this.#held;
      this.#held = [];
      this.#heldBytes = 0;
      for (const stream of STREAMS) this.#terminal[stream].resume();
      yield* merged(held.flatMap((chunk) => this.#skipping.unread(chunk) ?? []));
      if (this.#held.length === 0 && this.#open > 0) await this.#bell.wait(60_000, signal);
    }
  }

  #listen(stream: 'stdout' | 'stderr', source: Readable): void {
    source.on('data', (data: Buffer) => {
      this.#hasPrinted = true;
      this.#held.push({ stream, data });
      this.#heldBytes += data.length;
      if (!this.#greedy && this.#heldBytes > HIGH_WATER) source.pause();
      this.#bell.ring();
    });
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      this.#open -= 1;
      this.#bell.ring();
    };
    source.once('end', end).once('close', end).once('error', end);
  }
}
