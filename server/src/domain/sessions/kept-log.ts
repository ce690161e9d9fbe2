/** What a session printed, as it is kept after its container is gone: per chunk one byte for the stream, four for the length, the bytes. */
export interface KeptChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

export function encodeChunk(chunk: KeptChunk): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(chunk.stream === 'stdout' ? 1 : 2, 0);
  head.writeUInt32BE(chunk.data.length, 1);
  return Buffer.concat([head, chunk.data]);
}

export function* decodeChunks(log: Buffer): Generator<KeptChunk> {
  let offset = 0;
  while (offset + 5 <= log.length) {
    const end = offset + 5 + log.readUInt32BE(offset + 1);
    yield { stream: log[offset] === 1 ? 'stdout' : 'stderr', data: log.subarray(offset + 5, end) };
    offset = end;
  }
}

/** The last lines as text, for people who ask why it ended. Escape sequences and carriage returns are taken out. */
export function lastLines(chunks: readonly KeptChunk[], count: number): readonly string[] {
  const text = Buffer.concat(chunks.map((chunk) => chunk.data))
    .subarray(-16_384)
    .toString('utf8');
  // oxlint-disable-next-line no-control-regex -- terminal output is made of control characters
  const plain = text.replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g, '').replace(/\r/g, '');
  return plain
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .map((line) => line.slice(0, 500));
}
