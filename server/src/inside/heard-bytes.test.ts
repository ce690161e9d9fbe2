import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeardBytes } from './heard-bytes.ts';

test('lines and bytes are what was said, however it was cut', () => {
  const said = fc.array(fc.oneof(fc.string({ unit: fc.constantFrom('a', 'ü', ' ') }), fc.uint8Array()));
  fc.assert(
    fc.property(said, fc.integer({ min: 1, max: 9 }), (parts, step) => {
      const all = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\n`) : Buffer.from(part))));
      const heard = new HeardBytes();
      const next = (part: string | Uint8Array): string | Buffer | undefined =>
        typeof part === 'string' ? heard.line()?.toString('utf8') : heard.take(part.length);
      const waiting = [...parts];
      const told: (string | Buffer)[] = [];
      for (let at = 0; at <= all.length; at += step) {
        heard.add(all.subarray(at, at + step));
        for (let part = waiting[0]; part !== undefined; part = waiting[0]) {
          const answer = next(part);
          if (answer === undefined) break;
          told.push(answer);
          waiting.shift();
        }
      }
      expect(told).toEqual(parts.map((part) => (typeof part === 'string' ? part : Buffer.from(part))));
      expect(heard.length).toBe(0);
    }),
  );
});

test('a line of 16 MiB that comes byte by byte, or nearly, is no burden', () => {
  const heard = new HeardBytes();
  const piece = Buffer.from('x'.repeat(16));
  for (let count = 0; count < 1024 ** 2; count += 1) {
    heard.add(piece);
    if (heard.line() !== undefined) throw new Error('there is no line yet');
  }
  heard.add(Buffer.from('\nmore'));
  expect(heard.line()?.length).toBe(16 * 1024 ** 2);
  expect(heard.take(4)?.toString()).toBe('more');
});
