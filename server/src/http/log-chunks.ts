import type { KeptChunk } from '../domain/sessions/kept-log.ts';

export type LogStream = KeptChunk['stream'];
/** Bytes of each stream: between the two, the order of a log and of a live output may differ. */
export interface StreamBytes {
  readonly stdout: number;
  readonly stderr: number;
}

const NEWLINE = 10;
const MERGED_BYTES = 64 * 1024;

export const bytesIn = (chunks: readonly KeptChunk[], stream: LogStream): Buffer =>
  Buffer.concat(chunks.filter((chunk) => chunk.stream === stream).map(({ data }) => data));

export const sizeOf = (chunks: readonly KeptChunk[]): number => chunks.reduce((sum, { data }) => sum + data.length, 0);

/** Without the first so many bytes of each stream. */
export function withoutStart(chunks: readonly KeptChunk[], count: StreamBytes): readonly KeptChunk[] {
  const left = { ...count };
  return chunks.flatMap((chunk) => {
    const dropped = Math.min(left[chunk.stream], chunk.data.length);
    left[chunk.stream] -= dropped;
    return dropped === chunk.data.length ? [] : [{ ...chunk, data: chunk.data.subarray(dropped) }];
  });
}

const RETURN = 13;

/** A log that mixes the streams may also have lost carriage returns. */
export function withoutReturns(data: Buffer): Buffer {
  if (!data.includes(RETURN)) return data;
  const rest = Buffer.allocUnsafe(data.length);
  let length = 0;
  for (const byte of data) if (byte !== RETURN) rest[length++] = byte;
  return rest.subarray(0, length);
}

/** Where so many bytes end, carriage returns not counted; the end, where there are not so many. */
export function endOf(data: Buffer, count: number): number {
  if (!data.includes(RETURN)) return Math.min(count, data.length);
  let at = 0;
  for (let left = count; left > 0 && at < data.length; at += 1) if (data[at] !== RETURN) left -= 1;
  return at;
}

/** Lets go of the first so many bytes of each stream, or of both together without returns, as its chunks come. */
export class Skipping {
  readonly #left: Record<LogStream, number>;
  #together: number;

  constructor(count: StreamBytes | number) {
    this.#together = typeof count === 'number' ? count : 0;
    this.#left = typeof count === 'number' ? { stdout: 0, stderr: 0 } : { ...count };
  }

  /** What is new of it, if anything is. */
  unread(chunk: KeptChunk): KeptChunk | undefined {
    if (this.#together > 0) return this.#unreadOfBoth(chunk);
    const [unread] = withoutStart([chunk], this.#left);
    this.#left[chunk.stream] -= chunk.data.length - (unread?.data.length ?? 0);
    return unread;
  }

  #unreadOfBoth(chunk: KeptChunk): KeptChunk | undefined {
    const end = endOf(chunk.data, this.#together);
    this.#together -= withoutReturns(chunk.data.subarray(0, end)).length;
    return end === chunk.data.length ? undefined : { ...chunk, data: chunk.data.subarray(end) };
  }
}

/** The last lines, counted over all chunks together; a last line without its newline counts. */
export function tailOf(chunks: readonly KeptChunk[], lines: number): readonly KeptChunk[] {
  if (lines === 0) return [];
  const tail: KeptChunk[] = [];
  let seen = 0;
  let last = true;
  for (const chunk of chunks.toReversed()) {
    for (let at = chunk.data.length - 1; at >= 0; at -= 1) {
      if (chunk.data[at] === NEWLINE && !last && (seen += 1) === lines) {
        return [{ ...chunk, data: chunk.data.subarray(at + 1) }, ...tail.toReversed()].filter(({ data }) => data.length > 0);
      }
      last = false;
    }
    tail.push(chunk);
  }
  return tail.toReversed();
}

/** Neighbours of one stream joined, so that many short lines do not become many messages. */
export function* merged(chunks: Iterable<KeptChunk>): Generator<KeptChunk> {
  let parts: Buffer[] = [];
  let bytes = 0;
  let stream: LogStream = 'stdout';
  for (const chunk of chunks) {
    if (bytes > 0 && (chunk.stream !== stream || bytes + chunk.data.length > MERGED_BYTES)) {
      yield { stream, data: Buffer.concat(parts) };
      parts = [];
      bytes = 0;
    }
    stream = chunk.stream;
    parts.push(chunk.data);
    bytes += chunk.data.length;
  }
  if (bytes > 0) yield { stream, data: Buffer.concat(parts) };
}
