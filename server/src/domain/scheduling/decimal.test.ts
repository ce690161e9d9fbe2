import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare, decimalOf, formatDecimal, parseByteSize, parseCount, roundedUp, toNumber, type Decimal } from './decimal.ts';

const bytes = (text: string): string | undefined => {
  const parsed = parseByteSize(text);
  return parsed.ok ? formatDecimal(parsed.value) : undefined;
};
const count = (text: string): string | undefined => {
  const parsed = parseCount(text);
  return parsed.ok ? formatDecimal(parsed.value) : undefined;
};

describe('sizes', () => {
  test.each([
    ['4g', '4294967296'],
    ['4G', '4294967296'],
    ['4GiB', '4294967296'],
    ['512MB', '536870912'],
    ['1.5g', '1610612736'],
    ['1_024k', '1048576'],
    ['2 gibytes', '2147483648'],
    ['10 bytes', '10'],
    ['1073741824', '1073741824'],
    ['0', '0'],
    ['1y', '1208925819614629174706176'],
  ])('%s', (text, expected) => expect(bytes(text)).toBe(expected));

  test.each(['', 'g', '4x', '-1g', 'inf', '1.5', '0.1k', '4 g b', '1e999g', '0x10', '4gg'])('%j is none', (text) =>
    expect(bytes(text)).toBeUndefined(),
  );

  test('are exact, whatever the scale', () => {
    const scale = fc.constantFrom('k', 'm', 'g', 't', 'p', 'e', 'z', 'y');
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), scale, fc.constantFrom('', 'b', 'iB', 'bytes'), (number, letter, unit) => {
        const factor = 1024n ** BigInt('kmgtpezy'.indexOf(letter) + 1);
        expect(bytes(`${number}${letter}${unit}`)).toBe((number * factor).toString());
      }),
    );
  });
});

describe('counts', () => {
  test.each([
    ['2', '2'],
    ['0.30', '0.3'],
    ['.5', '0.5'],
    ['1_000.250', '1000.25'],
    ['1e3', '1000'],
    ['25e-2', '0.25'],
    ['007', '7'],
  ])('%s', (text, expected) => expect(count(text)).toBe(expected));

  test.each(['', '.', 'two', '-1', '1.2.3', 'NaN', 'Infinity', '1e1000', '_1'])('%j is none', (text) =>
    expect(count(text)).toBeUndefined(),
  );

  test('keep every digit', () => {
    const digits = fc.stringMatching(/^[1-9]\d{0,25}\.\d{0,20}[1-9]$/);
    fc.assert(fc.property(digits, (text) => count(text) === text));
  });

  test('no text makes them fail', () => {
    fc.assert(fc.property(fc.string(), (text) => [count(text), bytes(text)].length === 2));
  });
});

const anyDecimal: fc.Arbitrary<Decimal> = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 25n }), fc.integer({ min: 0, max: 12 }))
  .map(([digits, scale]) => ({ digits, scale }));

describe('comparing', () => {
  test('0.1 + nothing is 0.1, and a little less is less', () => {
    expect(compare(decimalOf(0.1), { digits: 10n, scale: 2 })).toBe(0);
    expect(compare(decimalOf(0.1), { digits: 100_000_000_000_000_001n, scale: 18 })).toBe(-1);
    expect(compare(decimalOf(2), decimalOf(0.001))).toBe(1);
  });

  test('is an order: of two the one is smaller, or they are the same', () => {
    fc.assert(fc.property(anyDecimal, anyDecimal, (a, b) => compare(a, b) + compare(b, a) === 0 && compare(a, a) === 0));
  });

  test('rounding up never makes less, nor more than one step', () => {
    fc.assert(
      fc.property(anyDecimal, fc.integer({ min: 0, max: 6 }), (value, places) => {
        const up = roundedUp(value, places);
        const step = { digits: 1n, scale: places };
        const scale = Math.max(value.scale, places);
        const sum = value.digits * 10n ** BigInt(scale - value.scale) + step.digits * 10n ** BigInt(scale - places);
        return up.scale <= Math.max(places, 0) && compare(up, value) >= 0 && compare(up, { digits: sum, scale }) < 0;
      }),
    );
    expect(toNumber(roundedUp({ digits: 10_001n, scale: 4 }, 3))).toBe(1.001);
  });
});
