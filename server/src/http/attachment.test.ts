import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { attachment } from './attachment.ts';

test.each([
  ['a.txt', `attachment; filename="a.txt"; filename*=UTF-8''a.txt`],
  ['a "b"\r\nx: y.txt', `attachment; filename="a _b___x: y.txt"; filename*=UTF-8''a%20%22b%22%0D%0Ax%3A%20y.txt`],
  ["ü'(1)*.csv", `attachment; filename="_'(1)*.csv"; filename*=UTF-8''%C3%BC%27%281%29%2A.csv`],
])('%j', (name, header) => expect(attachment(name)).toBe(header));

test('no name breaks out of the header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      expect(attachment(name)).toMatch(/^attachment; filename="[\x20\x21\x23-\x24\x26-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[\w.!~%-]*$/);
    }),
  );
});
