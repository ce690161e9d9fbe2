import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { bytesIn, withoutStart, type LogStream, type StreamBytes } from './log-chunks.ts';
import { overlap } from './overlap.ts';

const REMEMBERED = 4096;

/** How far into a session's log a reader has come, so that she can go on from another copy of it. */
export class LogPosition {
  readonly #streams: Readonly<Record<LogStream, StreamPosition>>;

  /** From the log's beginning, or from somewhere near its end that has not been located yet. */
  constructor(from: 'beginning' | 'tail') {
    this.#streams = { stdout: new StreamPosition(from), stderr: new StreamPosition(from) };
  }

  advance({ stream, data }: KeptChunk): void {
    this.#streams[stream].advance(data);
  }

  /** Bytes from the beginning of this copy, which may lack the log's own beginning. */
  locateIn(copy: readonly KeptChunk[]): StreamBytes {
    return {
      stdout: this.#streams.stdout.locateIn(bytesIn(copy, 'stdout')),
      stderr: this.#streams.stderr.locateIn(bytesIn(copy, 'stderr')),
    };
  }

  rest(copy: readonly KeptChunk[]): readonly KeptChunk[] {
    return withoutStart(copy, this.locateIn(copy));
  }

  /** From now on counted from the beginning of this copy. */
  settleIn(copy: readonly KeptChunk[]): void {
    const at = this.locateIn(copy);
    this.#streams.stdout.settle(at.stdout);
    this.#streams.stderr.settle(at.stderr);
  }
}

class StreamPosition {
  #count: number | null;
  #recent = Buffer.alloc(0);

  constructor(from: 'beginning' | 'tail') {
    this.#count = from === 'beginning' ? 0 : null;
  }

  advance(data: Buffer): void {
    if (this.#count !== null) this.#count += data.length;
    this.#recent = Buffer.concat([this.#recent, data.subarray(-REMEMBERED)]).subarray(-REMEMBERED);
  }

  settle(count: number): void {
    this.#count = count;
  }

  /** By counting where the bytes before it agree, else by looking for the last bytes read; what was rotated away is given up. */
  locateIn(copy: Buffer): number {
    const count = this.#count;
    const recent = this.#recent;
    if (count === null && recent.length === 0) return copy.length;
    if (count !== null && count <= copy.length && copy.subarray(count - recent.length, count).equals(recent)) return count;
    const found = copy.lastIndexOf(recent);
    return found === -1 ? overlap(recent, copy) : found + recent.length;
  }
}
