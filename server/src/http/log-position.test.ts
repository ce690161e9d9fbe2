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

const bytes = (...data: number[]): KeptChunk => ({ stream: 'stdout', data: Buffer.from(data) });

/** As Docker's log keeps what is no text: a replacement character per byte. */
const replaced = ({ stream, data }: KeptChunk): KeptChunk => ({
  stream,
  data: Buffer.concat([...data].map((byte) => (byte < 0x80 ? Buffer.of(byte) : Buffer.from('\ufffd')))),
});

test.each([
  ['ending in text', bytes(0xff, 65, 0x80, 0x81, 66)],
  ['ending in what is none', bytes(65, 0xff, 0xfe, 0xfd)],
  ['of nothing else', bytes(0xff, 0xfe)],
])('bytes that a log cannot keep are not given again: %s', (_, read) => {
  expect(text(after(read).rest([replaced(read)]))).toBe('');
  expect(text(after(read).rest([replaced(read), out('more')]))).toBe('more');
});

test('nor in a copy that lost its beginning', () => {
  const [lost, kept] = [bytes(0xff, 49, 50, 51, 52), bytes(0xfe, 65, 66, 67, 68, 0xff)];
  const position = after(...Array.from({ length: 2_000 }, () => lost), ...Array.from({ length: 2_000 }, () => kept));
  expect(text(position.rest([...Array.from({ length: 1_900 }, () => replaced(kept)), out('more')]))).toBe('more');
});

test('a log that mixes the streams is counted as one, in whatever order they were read', () => {
  const position = new LogPosition({ logsApart: false });
  for (const chunk of [err('E'), out('O')]) position.advance(chunk);
  expect(text(position.rest([out('OE')]))).toBe('');
  expect(text(position.rest([out('OEmore')]))).toBe('more');
});

test('nor is what was read last given again when such a log lost its beginning', () => {
  const position = new LogPosition({ logsApart: false });
  for (const chunk of [out('one two'), err('three'), out('four')]) position.advance(chunk);
  expect(text(position.rest([out('threefour five')]))).toBe(' five');
});

test('carriage returns that a log has lost are not missed', () => {
  const position = new LogPosition({ logsApart: false });
  position.advance(out('one\r\ntwo\r\n'));
  expect(text(position.rest([out('one\ntwo\n')]))).toBe('');
  expect(text(position.rest([out('one\r\ntwo\r\nthree\r\n')]))).toBe('three\r\n');
});
