import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import type { LogChunk } from '../runtime.ts';
import { demultiplex } from './demultiplex.ts';

const frame = (stream: number, text: string): Buffer => {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
};

async function collect(chunks: AsyncIterable<LogChunk>): Promise<LogChunk[]> {
  const all: LogChunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

it('two streams come apart wherever the pieces were cut', async () => {
  const bytes = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, 'more')]);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const pieces = Readable.from([bytes.subarray(0, cut), bytes.subarray(cut)]);
    const chunks = await collect(demultiplex(pieces, false));
    expect(chunks.map(({ stream, data }) => `${stream}:${data.toString()}`)).toEqual(['stdout:out', 'stderr:err', 'stdout:more']);
  }
});

it('a terminal has one stream, passed on as it is', async () => {
  const chunks = await collect(demultiplex(Readable.from([frame(2, 'raw')]), true));
  expect(chunks).toEqual([{ stream: 'stdout', data: frame(2, 'raw') }]);
});
