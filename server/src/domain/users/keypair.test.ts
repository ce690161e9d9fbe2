import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAccessKey, KEYPAIR_BYTES, makeKeys } from './keypair.ts';

const randomness = fc.uint8Array({ minLength: KEYPAIR_BYTES, maxLength: KEYPAIR_BYTES }).map((bytes) => Buffer.from(bytes));

test('keys have the shape that clients expect, whatever the randomness', () => {
  fc.assert(
    fc.property(randomness, (random) => {
      const { accessKey, secretKey } = makeKeys(random);
      expect(isAccessKey(accessKey)).toBe(true);
      expect(secretKey).toMatch(/^[\w-]{40}$/);
    }),
  );
});

test('every bit of the randomness counts', () => {
  const bit = fc.nat({ max: KEYPAIR_BYTES * 8 - 1 });
  fc.assert(
    fc.property(randomness, bit, (random, position) => {
      const other = Buffer.from(random);
      const at = position >> 3;
      other.writeUInt8(other.readUInt8(at) ^ (1 << (position & 7)), at);
      expect(Object.values(makeKeys(other))).not.toEqual(Object.values(makeKeys(random)));
    }),
  );
});

test('too little randomness is refused', () => {
  expect(() => makeKeys(Buffer.alloc(39))).toThrow('40 bytes');
});

test.each([
  '',
  'AKIA',
  'akiaAAAAAAAAAAAAAAAA',
  'AKIAAAAAAAAAAAAAAAA1',
  'AKIAAAAAAAAAAAAAAAAAA',
  "AKIAAAAAAAAAAAAAAAA'",
  'AKIAAAAAAAAAAAAAAAAA\n',
])('%j is no access key', (text) => expect(isAccessKey(text)).toBe(false));
