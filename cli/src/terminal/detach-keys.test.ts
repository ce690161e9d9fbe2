import { array, assert, constantFrom, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { DetachKeys, parseDetachKeys } from './detach-keys.ts';

test.each([
  ['ctrl-p,ctrl-q', [16, 17]],
  ['ctrl-@', [0]],
  ['CTRL-P', [16]],
  ['ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [27, 28, 29, 30, 31]],
  ['a', [97]],
  ['~,.', [126, 46]],
  ['', []],
])('%j is understood', (text, bytes) => {
  expect(parseDetachKeys(text)).toEqual(bytes);
});

test.each(['ctrl-', 'ctrl-1', 'ab', 'ctrl-p,', 'ä', ' '])('%j is refused by name', (text) => {
  expect(() => parseDetachKeys(text)).toThrow(`"${text}"`);
});

function typed(sequence: string, ...chunks: string[]): { passed: string; detached: boolean } {
  const keys = new DetachKeys([...Buffer.from(sequence)]);
  let passed = '';
  for (const chunk of chunks) {
    const { pass, detached } = keys.push(Buffer.from(chunk));
    passed += pass.toString();
    if (detached) return { passed, detached };
  }
  return { passed, detached: false };
}

test.each([
  ['in one chunk', ['xpq'], { passed: 'x', detached: true }],
  ['key by key', ['p', 'q'], { passed: '', detached: true }],
  ['a beginning that is not completed passes through', ['p', 'x', 'q'], { passed: 'pxq', detached: false }],
  ['a beginning that begins anew', ['p', 'p', 'q'], { passed: 'p', detached: true }],
  ['what follows is dropped', ['pqrest'], { passed: '', detached: true }],
])('the sequence is found: %s', (_, chunks, expected) => {
  expect(typed('pq', ...chunks)).toEqual(expected);
});

test('a sequence that repeats itself is found at its first occurrence', () => {
  expect(typed('aab', 'aaab')).toEqual({ passed: 'a', detached: true });
});

test('without keys everything passes at once', () => {
  expect(typed('', 'pq')).toEqual({ passed: 'pq', detached: false });
});

test('whatever is typed in whatever pieces: detached exactly when the sequence occurs, and nothing before it is lost', () => {
  const piece = string({ unit: constantFrom('a', 'b'), maxLength: 5 });
  assert(
    property(string({ unit: constantFrom('a', 'b'), minLength: 1, maxLength: 4 }), array(piece), (sequence, chunks) => {
      const all = chunks.join('');
      const at = all.indexOf(sequence);
      const { passed, detached } = typed(sequence, ...chunks);
      expect(detached).toBe(at >= 0);
      if (at >= 0) expect(passed).toBe(all.slice(0, at));
      else expect(all.startsWith(passed) && all.length - passed.length < sequence.length).toBe(true);
    }),
  );
});
