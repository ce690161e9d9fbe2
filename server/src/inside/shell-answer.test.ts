import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NoAnswer } from './conversation.ts';
import { parseShellAnswer, wholeCharacters } from './shell-answer.ts';

test('a text that is taken in pieces, wherever it is cut, is the same text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat({ max: 7 })), (text, sizes) => {
      const bytes = Buffer.from(text);
      let read = '';
      let at = 0;
      for (const size of sizes) {
        const seen = bytes.subarray(at, at + size);
        const whole = wholeCharacters(seen);
        read += seen.toString('utf8', 0, whole);
        at += whole;
      }
      expect(read + bytes.toString('utf8', at)).toBe(text);
    }),
  );
});

test('whatever the bytes are, at most three are held back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const held = bytes.length - wholeCharacters(Buffer.from(bytes));
      expect(held).toBeGreaterThanOrEqual(0);
      expect(held).toBeLessThanOrEqual(3);
    }),
  );
});

describe('the first line', () => {
  test.each([
    ['continued - 3 0', { status: 'continued', exitCode: null, stdout: 3, stderr: 0 }],
    ['finished 127 0 12', { status: 'finished', exitCode: 127, stdout: 0, stderr: 12 }],
    ['lost - 0 0', { status: 'lost', exitCode: null, stdout: 0, stderr: 0 }],
    ['unknown-run - 0 0', { status: 'unknown-run', exitCode: null, stdout: 0, stderr: 0 }],
  ])('%j is understood', (line, answer) => expect(parseShellAnswer(line, 100)).toEqual(answer));

  test.each(['', 'finished', 'hello - 1 1', 'continued - -1 0', 'continued - 1', 'continued - 101 0', 'continued - 1e3 0'])(
    '%j is no answer',
    (line) => expect(() => parseShellAnswer(line, 100)).toThrow(NoAnswer),
  );
});
