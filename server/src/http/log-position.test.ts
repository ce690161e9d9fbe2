import { expect, test } from 'vitest';
import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { LogPosition } from './log-position.ts';

const out = (text: string): KeptChunk => ({ stream: 'stdout', data: Buffer.from(text) });
const err = (text: string): KeptChunk => ({ stream: 'stderr', data: Buffer.from(text) });
const text = (chunks: readonly KeptChunk[]): string => chunks.map(({ data }) => data.toString()).join('');

function after(from: 'beginning' | 'tail', ...read: KeptChunk[]): LogPosition {
  const position = new LogPosition(from);
  for (const chunk of read) position.advance(chunk);
  return position;
}

test('who read from the beginning goes on by counting, even in a log that repeats itself', () => {
  expect(text(after('beginning', out('y\ny\n')).rest([out('y\ny\ny\n')]))).toBe('y\n');
});

test('the two streams may come in another order than they were read in', () => {
  expect(text(after('beginning', err('E'), out('O')).rest([out('O'), err('E'), out('more')]))).toBe('more');
});

test('a copy that lost its beginning goes on after the last bytes read', () => {
  expect(text(after('beginning', out('one two three')).rest([out('three four')]))).toBe(' four');
});

test('who began at the tail goes on after what she read', () => {
  expect(text(after('tail', out('three\n')).rest([out('one\ntwo\nthree\nfour\n')]))).toBe('four\n');
});

test('who asked for no tail at all and read nothing begins at the end', () => {
  const position = after('tail');
  position.settleIn([out('old\n')]);
  expect(text(position.rest([out('old\nnew\n')]))).toBe('new\n');
});

test('a copy with nothing of it is given whole', () => {
  expect(text(after('beginning', out('gone')).rest([out('other')]))).toBe('other');
});
