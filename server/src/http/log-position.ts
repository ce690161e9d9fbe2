import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { bytesIn, withoutStart, type LogStream, type StreamBytes } from './log-chunks.ts';
import { overlap } from '../domain/sessions/overlap.ts';

const REMEMBERED = 4096;

/** How far into a session's log a reader has come, counted from its beginning, so that she can go on from another copy of it. */
export class LogPosition {
  readonly #streams: Readonly<Record<LogStream, StreamPosition>> = { stdout: new StreamPosition(), stderr: new StreamPosition() };

  advance({ stream, data }: KeptChunk): void {
    this.#streams[stream].advance(data);
  }

  /** Bytes from the beginning of this copy, which may lack the log's own beginning. */
  locateIn(copy: readonly KeptChunk[]): StreamBytes {
    const { stdout, stderr } = this.#streams;
    return { stdout: stdout.locateIn(bytesIn(copy, 'stdout')), stderr: stderr.locateIn(bytesIn(copy, 'stderr')) };
  }

  rest(copy: readonly KeptChunk[]): readonly KeptChunk[] {
    return withoutStart(copy, this.locateIn(copy));
  }
}

class StreamPosition {
  #count = 0;
  #recent = Buffer.alloc(0);

  advance(data: Buffer): void {
    this.#count += data.length;
    this.#recent = Buffer.concat([this.#recent, data.subarray(-REMEMBERED)]).subarray(-REMEMBERED);
  }

  /** By counting, where the bytes before it agree; else, the copy having lost its beginning, by looking for the last bytes read. */
  locateIn(copy: Buffer): number {
    const count = this.#count;
    const recent = this.#recent;
    if (count <= copy.length && copy.subarray(count - recent.length, count).equals(recent)) return count;
    const found = copy.lastIndexOf(recent);
    return found === -1 ? overlap(recent, copy) : found + recent.length;
  }
}
