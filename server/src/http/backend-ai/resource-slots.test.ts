import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDecimal, parseByteSize, parseCount, parseSlots } from './resource-slots.ts';

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

describe('slots', () => {
  const shown = (asked: Record<string, string | number>) => {
    const parsed = parseSlots(asked);
    return parsed.ok
      ? Object.fromEntries(Object.entries(parsed.value).map(([name, value]) => [name, formatDecimal(value)]))
      : parsed.message;
  };
  test('are told by their names, numbers or texts', () => {
    expect(shown({ cpu: 2, mem: '4g', 'cuda.device': 1 })).toEqual({ cpu: '2', mem: '4294967296', 'cuda.device': '1' });
  });
  test('nothing of a slot is not asked for', () => expect(shown({ cpu: 0, mem: '0' })).toEqual({}));
  test('a common misspelling is understood', () => expect(shown({ 'cuda.devices': '2' })).toEqual({ 'cuda.device': '2' }));
  test.each(['cuda.shares', 'toString', '__proto__x'])('%s is not known', (name) =>
    expect(shown({ [name]: 1 })).toContain(`"${name}" is no resource slot`),
  );
  test('what is wrong is named', () => expect(shown({ mem: '4x' })).toContain('mem: "4x" is no size'));
});
