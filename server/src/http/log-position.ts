import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { bytesIn, endOf, withoutReturns, withoutStart, type LogStream, type StreamBytes } from './log-chunks.ts';
import { overlap } from '../domain/sessions/overlap.ts';

const REMEMBERED = 4096;

/** How far into a session's log a reader has come, counted from its beginning, so that she can go on from another copy of it. */
export class LogPosition {
  readonly #streams: Readonly<Record<LogStream, StreamPosition>> = { stdout: new StreamPosition(), stderr: new StreamPosition() };
  readonly #together: MixedPosition | undefined;

  /** `logsApart`: as the runtime says. */
  constructor({ logsApart }: { readonly logsApart: boolean } = { logsApart: true }) {
    this.#together = logsApart ? undefined : new MixedPosition();
  }

  advance({ stream, data }: KeptChunk): void {
    if (this.#together !== undefined) this.#together.advance(data);
    else this.#streams[stream].advance(data);
  }

  /** Bytes from the beginning of this copy, which may lack the log's own beginning. */
  locateIn(copy: readonly KeptChunk[]): StreamBytes {
    if (this.#together !== undefined) return { stdout: this.#together.locateIn(bytesIn(copy, 'stdout')), stderr: 0 };
    const { stdout, stderr } = this.#streams;
    return { stdout: stdout.locateIn(bytesIn(copy, 'stdout')), stderr: stderr.locateIn(bytesIn(copy, 'stderr')) };
  }

  rest(copy: readonly KeptChunk[]): readonly KeptChunk[] {
    return withoutStart(copy, this.locateIn(copy));
  }
}

/**
 * By counting, where the bytes before it agree; else, the copy having lost its beginning, by looking for the last bytes read.
 * Docker's log keeps text only: what is no UTF-8 becomes U+FFFD in it. ASCII stays as it was, and is compared where all bytes do not agree.
 */
class StreamPosition {
  readonly #all = new Track();
  readonly #ascii = new Track();

  advance(data: Buffer): void {
    this.#all.advance(data);
    this.#ascii.advance(asciiOf(data));
  }

  locateIn(copy: Buffer): number {
    const counted = this.#all.countedIn(copy);
    if (counted !== undefined) return counted;
    const ascii = asciiOf(copy);
    // Without a replaced character the copy is no other text, only a shorter one.
    const isReplaced = copy.includes(REPLACED);
    const countedAscii = isReplaced ? this.#ascii.countedIn(ascii) : undefined;
    if (countedAscii !== undefined) return this.#afterAscii(copy, countedAscii);
    const found = this.#all.foundIn(copy);
    if (found !== undefined) return found;
    const foundAscii = isReplaced ? this.#ascii.foundIn(ascii) : undefined;
    return foundAscii === undefined ? overlap(this.#all.recent, copy) : this.#afterAscii(copy, foundAscii);
  }

  /** Behind so many bytes of ASCII, and behind what else was read after them. */
  #afterAscii(copy: Buffer, count: number): number {
    let at = 0;
    for (let left = count; left > 0; at += 1) if (isAscii(copy[at])) left -= 1;
    const { recent } = this.#all;
    const others = recent.subarray(recent.findLastIndex(isAscii) + 1);
    if (copy.subarray(at, at + others.length).equals(others)) return at + others.length;
    while (at < copy.length && !isAscii(copy[at])) at += 1;
    return at;
  }
}

/**
 * In a log that mixes the streams, perhaps in another order than they were read in, and without their carriage returns: by
 * counting, else behind what was read last.
 */
class MixedPosition {
  readonly #all = new Track();
  #last: Buffer = Buffer.alloc(0);

  advance(data: Buffer): void {
    const plain = withoutReturns(data);
    this.#all.advance(plain);
    if (plain.length > 0) this.#last = plain.subarray(-REMEMBERED);
  }

  locateIn(copy: Buffer): number {
    return endOf(copy, this.#locateInPlain(withoutReturns(copy)));
  }

  #locateInPlain(copy: Buffer): number {
    const counted = this.#all.countedIn(copy, haveSameBytes);
    if (counted !== undefined) return counted;
    const found = this.#all.foundIn(copy);
    if (found !== undefined) return found;
    const last = this.#last.length === 0 ? -1 : copy.lastIndexOf(this.#last);
    return last === -1 ? overlap(this.#all.recent, copy) : last + this.#last.length;
  }
}

/** How many bytes there were, and the last of them. */
class Track {
  #count = 0;
  #recent = Buffer.alloc(0);

  get recent(): Buffer {
    return this.#recent;
  }

  advance(data: Buffer): void {
    this.#count += data.length;
    this.#recent = Buffer.concat([this.#recent, data.subarray(-REMEMBERED)]).subarray(-REMEMBERED);
  }

  countedIn(copy: Buffer, areSame = (a: Buffer, b: Buffer): boolean => a.equals(b)): number | undefined {
    const isThere = this.#count <= copy.length && areSame(copy.subarray(this.#count - this.#recent.length, this.#count), this.#recent);
    return isThere ? this.#count : undefined;
  }

  foundIn(copy: Buffer): number | undefined {
    const found = this.#recent.length === 0 ? -1 : copy.lastIndexOf(this.#recent);
    return found === -1 ? undefined : found + this.#recent.length;
  }
}

const haveSameBytes = (a: Buffer, b: Buffer): boolean => Buffer.compare(a.toSorted(), b.toSorted()) === 0;

const REPLACED = '\ufffd';
const isAscii = (byte: number | undefined): boolean => byte !== undefined && byte < 0x80;

function asciiOf(data: Buffer): Buffer {
  const ascii = Buffer.allocUnsafe(data.length);
  let length = 0;
  for (const byte of data) if (byte < 0x80) ascii[length++] = byte;
  return length === data.length ? data : ascii.subarray(0, length);
}
