import * as fc from 'fast-check';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { StdinLines } from './stdin-lines.ts';

test('however the bytes arrive, the lines are the lines', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.infiniteStream(fc.integer({ min: 1, max: 5 })), async (lines, sizes) => {
      const stdin = new PassThrough();
      const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''));
      const reader = new StdinLines(stdin);
      const read = (async () => {
        const all: string[] = [];
        for (let one = await reader.next(); one !== undefined; one = await reader.next()) all.push(one);
        return all;
      })();
      for (let at = 0; at < bytes.length;) {
        const size = Number(sizes.next().value);
        stdin.write(bytes.subarray(at, at + size));
        at += size;
      }
      stdin.end();
      expect(await read).toEqual(lines);
    }),
  );
});

test('a last line without its end is a line, and afterwards there is none', async () => {
  const stdin = new PassThrough();
  stdin.end('one\r\ntwo');
  const reader = new StdinLines(stdin);
  expect([await reader.next(), await reader.next(), await reader.next(), await reader.next()]).toEqual([
    'one',
    'two',
    undefined,
    undefined,
  ]);
});
