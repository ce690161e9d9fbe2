import { assert, bigInt, constantFrom, integer, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, parseAddress, parseRange, type Address } from './address.ts';

const dotted = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
const groups = (value: bigint): string[] => Array.from({ length: 8 }, (_, n) => ((value >> BigInt(112 - 16 * n)) & 0xffffn).toString(16));

describe('an address', () => {
  test.each<[string, 32 | 128, bigint]>([
    ['0.0.0.0', 32, 0n],
    ['255.255.255.255', 32, 0xffffffffn],
    ['127.0.0.1', 32, 0x7f000001n],
    ['::', 128, 0n],
    ['::1', 128, 1n],
    ['[::1]', 128, 1n],
    ['1::', 128, 1n << 112n],
    ['fe80::A', 128, (0xfe80n << 112n) + 10n],
    ['1:2:3:4:5:6:7:8', 128, 0x00010002000300040005000600070008n],
    ['1:2:3:4:5:6:7::', 128, 0x00010002000300040005000600070000n],
    ['::ffff:127.0.0.1', 128, 0xffff7f000001n],
    ['64:ff9b::10.0.0.1', 128, 0x0064ff9b00000000000000000a000001n],
  ])('%s', (text, bits, value) => expect(parseAddress(text)).toEqual({ bits, value }));

  test.each(
    [
      ['', '1', '127.1', '127.0.0', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '0x7f.0.0.1', '1.2.3.4 ', '-1.0.0.0', 'localhost'],
      [':', ':::', '1:2', '::1::', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::', 'g::', '12345::', '::1.2.3', 'fe80::1%eth0', '::1/128'],
      ['[::1', '::1]', '::1.2.3.4.5', '1.2.3.4::'],
    ].flat(),
  )('%j is none', (text) => expect(parseAddress(text)).toBeUndefined());

  test('of IPv4 is read as it is written', () => {
    assert(
      property(bigInt({ min: 0n, max: 0xffffffffn }), (value) => {
        expect(parseAddress(dotted(value))).toEqual({ bits: 32, value });
      }),
    );
  });

  test('of IPv6 is the same in every form', () => {
    assert(
      property(bigInt({ min: 0n, max: (1n << 128n) - 1n }), integer({ min: 0, max: 7 }), (value, at) => {
        const full = groups(value);
        const padded = full.map((group) => group.padStart(4, '0'));
        const mixed = [...full.slice(0, 6), dotted(value & 0xffffffffn)];
        for (const form of [full, padded, mixed].map((parts) => parts.join(':'))) {
          for (const text of [form, form.toUpperCase(), `[${form}]`]) expect(parseAddress(text)).toEqual({ bits: 128, value });
        }
        const hole = value & ~(0xffffn << BigInt(112 - 16 * at));
        const shortened = `${groups(hole).slice(0, at).join(':')}::${groups(hole)
          .slice(at + 1)
          .join(':')}`;
        expect(parseAddress(shortened)).toEqual({ bits: 128, value: hole });
      }),
    );
  });
});

describe('a range', () => {
  test.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', '/8', 'x/8', '10.0.0/8'])('%j is none', (text) =>
    expect(parseRange(text)).toBeUndefined(),
  );
  test('an address alone is a range of one; of a range the rest of its first address does not matter', () => {
    expect(parseRange('10.1.2.3')).toEqual({ bits: 32, prefix: 32, first: 0x0a010203n });
    expect(parseRange('10.1.2.3/8')).toEqual(parseRange('10.0.0.0/8'));
  });
  test('holds exactly the addresses that begin alike, of its own kind', () => {
    const kind = constantFrom<32 | 128>(32, 128);
    assert(
      property(
        kind,
        integer({ min: 0, max: 128 }),
        tuple(bigInt({ min: 0n, max: 1n << 127n }), bigInt({ min: 0n, max: 1n << 127n })),
        (bits, length, [a, b]) => {
          const prefix = Math.min(length, bits);
          const clip = (value: bigint): Address => ({ bits, value: value & ((1n << BigInt(bits)) - 1n) });
          const [one, other] = [clip(a), clip(b)];
          const host = BigInt(bits - prefix);
          const range = { bits, prefix, first: (one.value >> host) << host };
          expect(contains(range, one)).toBe(true);
          expect(contains(range, other)).toBe(one.value >> host === other.value >> host);
          expect(contains(range, { bits: bits === 32 ? 128 : 32, value: 1n })).toBe(false);
        },
      ),
    );
  });
});
