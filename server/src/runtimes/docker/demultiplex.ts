import type { LogChunk } from '../runtime.ts';

/** The engine's framing of two streams in one: a byte for the stream, three of nothing, four for the length. With a TTY there is none. */
export async function* demultiplex(source: AsyncIterable<unknown>, tty: boolean): AsyncGenerator<LogChunk> {
  let waiting: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    const data: Buffer = Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece));
    if (tty) {
      yield { stream: 'stdout', data };
      continue;
    }
    waiting = waiting.length === 0 ? data : Buffer.concat([waiting, data]);
    while (waiting.length >= HEADER) {
      const end = HEADER + waiting.readUInt32BE(4);
      if (waiting.length < end) break;
      if (end > HEADER) yield { stream: waiting[0] === 2 ? 'stderr' : 'stdout', data: waiting.subarray(HEADER, end) };
      waiting = waiting.subarray(end);
    }
  }
}

const HEADER = 8;
