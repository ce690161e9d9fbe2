import { expect, test } from 'vitest';
import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { merged, tailOf, Skipping, withoutStart } from './log-chunks.ts';

const out = (text: string): KeptChunk => ({ stream: 'stdout', data: Buffer.from(text) });
const err = (text: string): KeptChunk => ({ stream: 'stderr', data: Buffer.from(text) });
const text = (chunks: Iterable<KeptChunk>): string[] =>
  [...chunks].map(({ stream, data }) => `${stream === 'stdout' ? 'o' : 'e'}:${data.toString()}`);

test.each([
  ['none', 0, []],
  ['the last', 1, ['o:three\n']],
  ['over a chunk border', 2, ['o:t', 'e:wo\n', 'o:three\n']],
  ['more than there are', 9, ['o:one\nt', 'e:wo\n', 'o:three\n']],
])('a tail of lines is counted over all chunks: %s', (_, lines, expected) => {
  expect(text(tailOf([out('one\nt'), err('wo\n'), out('three\n')], lines))).toEqual(expected);
});

test('a last line without its newline counts', () => {
  expect(text(tailOf([out('one\ntwo\nthr'), out('ee')], 2))).toEqual(['o:two\nthr', 'o:ee']);
});

test('bytes are left out per stream, wherever its chunks lie', () => {
  const chunks = [out('ab'), err('12'), out('cd'), err('34')];
  expect(text(withoutStart(chunks, { stdout: 3, stderr: 0 }))).toEqual(['e:12', 'o:d', 'e:34']);
  const skipping = new Skipping({ stdout: 3, stderr: 0 });
  expect(text(chunks.flatMap((chunk) => skipping.unread(chunk) ?? []))).toEqual(['e:12', 'o:d', 'e:34']);
});

test('neighbours of one stream become one message, and never a huge one', () => {
  expect(text(merged([out('a'), out('b'), err('c'), out('d')]))).toEqual(['o:ab', 'e:c', 'o:d']);
  const sizes = [...merged(Array.from({ length: 100 }, () => out('x'.repeat(10_000))))].map(({ data }) => data.length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64 * 1024);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_000_000);
});

test('bytes of both streams together are let go of in the order in which they come, returns not counted', () => {
  const skipping = new Skipping(5);
  expect(skipping.unread({ stream: 'stdout', data: Buffer.from('ab\r\n') })).toBeUndefined();
  expect(skipping.unread({ stream: 'stderr', data: Buffer.from('cdef') })).toEqual({ stream: 'stderr', data: Buffer.from('ef') });
  expect(skipping.unread({ stream: 'stdout', data: Buffer.from('g') })).toEqual({ stream: 'stdout', data: Buffer.from('g') });
});
