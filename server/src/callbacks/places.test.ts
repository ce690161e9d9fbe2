import { expect, test } from 'vitest';
import { Places } from './places.ts';

test('so many for each key, and no more until one is free', () => {
  const places = new Places(2);
  expect([places.take('a'), places.take('a'), places.take('a'), places.take('b')]).toEqual([true, true, false, true]);
  expect(places.full()).toEqual(['a']);
  places.free('a');
  expect(places.full()).toEqual([]);
  expect(places.take('a')).toBe(true);
});
