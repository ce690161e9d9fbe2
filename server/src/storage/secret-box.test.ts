import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SecretBox } from './secret-box.ts';

const KEY = Buffer.alloc(32, 1);
const box = new SecretBox(KEY, 'keypair');

test('what was sealed is opened again, and only about the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.string(), (secret, about, other) => {
      const sealed = box.seal(secret, about);
      expect(box.open(sealed, about)).toBe(secret);
      if (about !== other) expect(box.open(sealed, other)).toBeUndefined();
    }),
  );
});

test('another key, another purpose, and a single changed bit leave it closed', () => {
  const sealed = box.seal('secret', 'AKIA');
  expect(new SecretBox(Buffer.alloc(32, 2), 'keypair').open(sealed, 'AKIA')).toBeUndefined();
  expect(new SecretBox(KEY, 'credential').open(sealed, 'AKIA')).toBeUndefined();
  for (let at = 0; at < sealed.length; at += 1) {
    const damaged = Buffer.from(sealed);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
    expect(box.open(damaged, 'AKIA')).toBeUndefined();
    expect(box.open(sealed.subarray(0, at), 'AKIA')).toBeUndefined();
  }
});

test('sealed twice it looks different, and never like what is in it', () => {
  const [one, two] = [box.seal('secret', 'AKIA'), box.seal('secret', 'AKIA')];
  expect(one.equals(two)).toBe(false);
  expect(one.includes('secret')).toBe(false);
});
