import { describe, expect, test } from 'vitest';
import { formatDecimal } from '../../domain/scheduling/decimal.ts';
import { parseSlots } from './resource-slots.ts';

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
