import type { Readable } from 'node:stream';
import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import type { Terminal } from '../runtimes/runtime.ts';
import { Bell } from './bell.ts';
import { bytesIn, merged, withoutEnd } from './log-chunks.ts';
import { overlap } from './overlap.ts';

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
  /** While the log is being read everything is taken, whatever its size: bytes not taken could not be compared. */
  #greedy = true;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    for (const stream of STREAMS) this.#listen(stream, terminal[stream]);
  }

  /** All streams have ended, and all of it has been handed on. */
  get drained(): boolean {
    return this.#open === 0 && this.#held.length === 0;
  }

  /** The log so far without what is held here too. Both ways from the engine run at their own pace: what is late is waited for. */
  async without(log: readonly KeptChunk[], signal: AbortSignal): Promise<readonly KeptChunk[]> {
    if (log.length > 0) await this.#bell.wait(SETTLE_MS, signal);
    const shared = STREAMS.map((stream) => overlap(bytesIn(log, stream), bytesIn(this.#held, stream)));
    this.#greedy = false;
    return withoutEnd(log, { stdout: shared[0] ?? 0, stderr: shared[1] ?? 0 });
  }

  /** Until the streams end or the signal fires. */
  async *chunks(signal: AbortSignal): AsyncGenerator<KeptChunk> {
    while (!signal.aborted && !this.drained) {
      const held = this.#held;
      this.#held = [];
      this.#heldBytes = 0;
      for (const stream of STREAMS) this.#terminal[stream].resume();
      yield* merged(held);
      if (this.#held.length === 0 && this.#open > 0) await this.#bell.wait(60_000, signal);
    }
  }

  #listen(stream: 'stdout' | 'stderr', source: Readable): void {
    source.on('data', (data: Buffer) => {
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
