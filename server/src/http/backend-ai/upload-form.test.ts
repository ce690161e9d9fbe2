import * as fc from 'fast-check';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { Refusal } from './refusal.ts';
import { readUploads } from './upload-form.ts';

const BOUNDARY = 'XbX';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const MIB = 1024 * 1024;

interface Part {
  readonly name: string;
  readonly content: Buffer;
}
const written = (parts: readonly Part[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(({ name, content }) => [
      Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="src"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
      ),
      content,
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
const read = (body: Buffer | string, type = TYPE) => readUploads(type, Readable.from([Buffer.from(body)]));
const files = (count: number, bytes = 1): Part[] =>
  Array.from({ length: count }, (_, n) => ({ name: `f${n}`, content: Buffer.alloc(bytes, n) }));

test('every byte of every file, in order', async () => {
  const content = fc
    .uint8Array({ maxLength: 2000 })
    .map((bytes) => Buffer.from(bytes))
    .filter((bytes) => !bytes.includes(`\r\n--${BOUNDARY}`));
  const parts = fc.array(fc.record({ name: fc.constantFrom('a', 'b/c', 'd e'), content }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(parts, async (sent) => {
      expect(await read(written(sent))).toEqual(sent);
    }),
  );
});

test('arriving in any pieces', async () => {
  const body = written(files(3, 500));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 700 }), async (size) => {
      const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, n) => body.subarray(n * size, (n + 1) * size));
      expect(await readUploads(TYPE, Readable.from(pieces))).toEqual(files(3, 500));
    }),
    { numRuns: 20 },
  );
});

test('twenty files of one byte less than a MiB are let in, one more file or byte is not', async () => {
  expect(await read(written(files(20, MIB - 1)))).toHaveLength(20);
  await expect(read(written(files(21)))).rejects.toThrow(/more than 20 files/);
  await expect(read(written(files(1, MIB)))).rejects.toThrow(/"f0", which has 1048576 bytes/);
  await expect(read(Buffer.alloc(22 * MIB))).rejects.toThrow(/more than 20 files/);
});

test('hundreds of thousands of parts are refused before any is made', async () => {
  await expect(read(`--${BOUNDARY}\r\n\r\n\r\n`.repeat(500_000))).rejects.toThrow(/more than 20 files/);
});

test.each([
  ['no boundary', 'multipart/form-data', written(files(1))],
  ['another type', 'multipart/mixed; boundary=XbX', written(files(1))],
  ['an endless boundary', `multipart/form-data; boundary=${'b'.repeat(71)}`, written(files(1))],
  ['another boundary', 'multipart/form-data; boundary=other', written(files(1))],
  ['nothing', TYPE, Buffer.alloc(0)],
  ['no part', TYPE, Buffer.from(`--${BOUNDARY}--\r\n`)],
  ['half of it', TYPE, written(files(2, 1000)).subarray(0, 900)],
  ['all but its end', TYPE, written(files(1)).subarray(0, -6)],
  ['a part without headers', TYPE, Buffer.from(`--${BOUNDARY}\r\n\r\nx\r\n--${BOUNDARY}--\r\n`)],
  ['a part that is a header only', TYPE, Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data\r\n--${BOUNDARY}--\r\n`)],
  ['endless headers', TYPE, Buffer.from(`--${BOUNDARY}\r\n${'x-header: y\r\n'.repeat(100_000)}\r\nx\r\n--${BOUNDARY}--\r\n`)],
  [
    'a field that is no file',
    TYPE,
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--${BOUNDARY}--\r\n`),
  ],
  [
    'a file in base64',
    TYPE,
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; filename="a"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--${BOUNDARY}--\r\n`,
    ),
  ],
])('%s is refused', async (_, type, body) => expect(read(body, type)).rejects.toThrow(Refusal));

test('whatever the bytes are, they are read or refused', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      `--${BOUNDARY}`,
      '--',
      '\r\n',
      '\r\n\r\n',
      `\r\n--${BOUNDARY}`,
      `\r\n--${BOUNDARY}--`,
      'Content-Disposition: form-data; filename="a"',
      ': ',
      '\n',
      '-',
    ),
    fc.string({ maxLength: 10 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      await read(pieces.join('')).catch((error: unknown) => expect(error).toBeInstanceOf(Refusal));
    }),
    { numRuns: 3000 },
  );
});
