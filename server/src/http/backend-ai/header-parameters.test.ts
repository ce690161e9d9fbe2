import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseHeader } from './header-parameters.ts';

const parameters = (text: string) => Object.fromEntries(parseHeader(text)?.parameters ?? []);

test.each([
  ['form-data', {}],
  ['Form-Data; name="src"; filename="a b.txt"', { name: 'src', filename: 'a b.txt' }],
  ['form-data;name=src;filename=a.txt', { name: 'src', filename: 'a.txt' }],
  [String.raw`form-data; filename="a\"b\\c\d"`, { filename: String.raw`a"b\c\d` }],
  ['form-data; filename="a;b=c"; x=y', { filename: 'a;b=c', x: 'y' }],
  ['form-data; filename="one"; filename="two"', { filename: 'one' }],
  ["form-data; filename*=UTF-8''%e2%82%ac", { 'filename*': "UTF-8''%e2%82%ac" }],
  ['multipart/form-data; boundary=----x;', { boundary: '----x' }],
])('%s', (text, expected) => {
  expect(parseHeader(text)?.value).toMatch(/^(multipart\/)?form-data$/);
  expect(parameters(text)).toEqual(expected);
});

test.each(['', '; name=x', 'form-data; name', 'form-data; name="x', 'form-data; ="x"', 'form-data name="x"', 'form-data; name="x" y'])(
  '%j cannot be read',
  (text) => expect(parseHeader(text)).toBeUndefined(),
);

test('any text is read or refused, in no time', () => {
  const piece = fc.constantFrom('form-data', ';', '=', '"', '\\', ' ', 'name', '\r\n', 'ü', '\0');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => void parseHeader(pieces.join(''))),
    { numRuns: 2000 },
  );
});
