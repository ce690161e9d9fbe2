import { expect, test } from 'vitest';
import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { LogPosition } from './log-position.ts';

const out = (text: string): KeptChunk => ({ stream: 'stdout', data: Buffer.from(text) });
const err = (text: string): KeptChunk => ({ stream: 'stderr', data: Buffer.from(text) });
const text = (chunks: readonly KeptChunk[]): string => chunks.map(({ data }) => data.toString()).join('');

function after(...read: KeptChunk[]): LogPosition {
  const position = new LogPosition();
  for (const chunk of read) position.advance(chunk);
  return position;
}

test('who read from the beginning goes on by counting, even in a log that repeats itself', () => {
  expect(text(after(out('y\ny\n')).rest([out('y\ny\ny\n')]))).toBe('y\n');
});

test('the two streams may come in another order than they were read in', () => {
  expect(text(after(err('E'), out('O')).rest([out('O'), err('E'), out('more')]))).toBe('more');
});

test('a copy that lost its beginning goes on after the last bytes read', () => {
  expect(text(after(out('one two three')).rest([out('three four')]))).toBe(' four');
});

test('a copy with nothing of it is given whole', () => {
  expect(text(after(out('gone')).rest([out('other')]))).toBe('other');
});
