import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEntries } from './folder-entries.ts';

const MARK = '0123456789abcdef';
const line = (name: string, mode = '-rw-r--r--', facts = '5 1000 2000 3000'): string => `${MARK} ${mode} ${facts} ./${name}\n`;

test('each entry with what is known of it, by name', () => {
  const printed = line('b') + line('a', 'drwxr-xr-x') + line('l', 'lrwxrwxrwx') + line('p', 'prw-r--r--');
  const { entries, complete } = parseEntries(printed, MARK);
  expect(complete).toBe(true);
  expect(entries.map(({ name, kind }) => [name, kind])).toEqual([
    ['a', 'folder'],
    ['b', 'file'],
    ['l', 'link'],
    ['p', 'other'],
  ]);
  expect(entries[1]).toEqual({
    name: 'b',
    kind: 'file',
    size: 5,
    mode: '-rw-r--r--',
    accessedAt: '1970-01-01T00:16:40.000Z',
    modifiedAt: '1970-01-01T00:33:20.000Z',
    changedAt: '1970-01-01T00:50:00.000Z',
  });
});

test('that there are more is told', () =>
  expect(parseEntries(`${line('a')}${MARK} more\n`, MARK)).toMatchObject({ complete: false, entries: [{ name: 'a' }] }));

test('names come through whatever they hold', () => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }).filter((text) => !/[/\0]/.test(text) && text.isWellFormed());
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 20 }), (names) => {
      const { entries } = parseEntries(names.map((one) => line(one)).join(''), MARK);
      expect(entries.map((entry) => entry.name).toSorted()).toEqual(names.toSorted());
    }),
  );
});

test('whatever is printed, nothing is thrown, and what is answered can be sent', () => {
  const piece = fc.oneof(fc.constant(MARK), fc.constantFrom(' ', '\n', './', ' -rw-r--r-- ', '99999999999', '-1 '), fc.string());
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (printed) => {
        for (const { size, modifiedAt } of parseEntries(printed, MARK).entries) {
          expect(Number.isSafeInteger(size)).toBe(true);
          expect(modifiedAt).toMatch(/^\d{4}-\d\d-\d\dT/);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('a time that no calendar has is no time', () =>
  expect(parseEntries(line('a', '-rw-r--r--', '5 999999999999 -999999999999 0'), MARK).entries).toMatchObject([
    { accessedAt: '1970-01-01T00:00:00.000Z', modifiedAt: '1970-01-01T00:00:00.000Z' },
  ]));
