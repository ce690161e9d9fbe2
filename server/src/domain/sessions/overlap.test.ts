import { assert, constantFrom, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { alreadyIn, overlap } from './overlap.ts';

const overlapOf = (before: string, after: string): number => overlap(Buffer.from(before), Buffer.from(after));

test.each([
  ['nothing in common', 'abc', 'xyz', 0],
  ['the live output begins inside the log', 'one two three', 'three four', 5],
  ['all of the live output is in the log', 'one two three', 'ee', 2],
  ['the log is shorter than the live output', 'two', 'two three', 3],
  ['a false start inside the log', 'aab aab aac', 'aacd', 3],
  ['an empty log', '', 'abc', 0],
  ['nothing live yet', 'abc', '', 0],
  ['repeats itself', 'yyyyy', 'yyy', 3],
])('finds the bytes that come twice: %s', (_, before, after, expected) => {
  expect(overlapOf(before, after)).toBe(expected);
});

test('agrees with trying every length', () => {
  const text = string({ unit: constantFrom('a', 'b'), maxLength: 12 });
  assert(
    property(text, text, (before, after) => {
      const lengths = Array.from({ length: Math.min(before.length, after.length) + 1 }, (_, length) => length);
      const longest = lengths.findLast((length) => before.endsWith(after.slice(0, length)));
      expect(overlapOf(before, after)).toBe(longest);
    }),
  );
});

test.each([
  ['the live output goes on where the log ends', 'one two three', 'three four', 5],
  ['the live output is late, and all of it is in the log', 'one two three', 'two', 9],
  ['nothing of it is in the log', 'one', 'two', 0],
  ['nothing live yet', 'one', '', 0],
])('tells how much of what comes live is in the log already: %s', (_, log, live, expected) => {
  expect(alreadyIn(Buffer.from(log), Buffer.from(live))).toBe(expected);
});
