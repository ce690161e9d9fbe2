import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Refusal } from './refusal.ts';
import { uploadName } from './upload-name.ts';

/** As they come: one character a byte. */
const nameOf = (parameters: Record<string, string>): string =>
  uploadName(new Map(Object.entries(parameters).map(([key, value]) => [key, Buffer.from(value).toString('latin1')])));
const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed());

test('as Python writes it: percent-encoded as a whole', () => {
  const quoted = (text: string): string =>
    encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  fc.assert(fc.property(name, (text) => nameOf({ filename: quoted(text) }) === text));
  expect(nameOf({ filename: 'sub%2Ffile%20%C3%BC.txt' })).toBe('sub/file ü.txt');
});

test('as browsers and Node write it: only what would end the text is encoded', () => {
  expect(nameOf({ filename: 'a %22b%22 %0A ü 100%.txt' })).toBe('a "b" \n ü 100%.txt');
});

test('RFC 5987 comes first', () => expect(nameOf({ filename: 'plain', 'filename*': "utf-8'en'%E2%82%AC" })).toBe('€'));

test.each([
  [{}],
  [{ filename: '' }],
  [{ 'filename*': 'x' }],
  [{ 'filename*': "latin1''%e4" }],
  [{ 'filename*': "UTF-8''%e4" }],
  [{ filename: '%FF%FE' }],
])('%j is refused', (parameters) => expect(() => nameOf(parameters)).toThrow(Refusal));

test('raw bytes that are not UTF-8 are refused', () =>
  expect(() => uploadName(new Map([['filename', 'caf\xe9 au lait']]))).toThrow(/not UTF-8/));
