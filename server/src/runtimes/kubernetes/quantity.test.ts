import { expect, it } from 'vitest';
import { amountOf } from './quantity.ts';

it.each<[string | number | undefined, number]>([
  ['100m', 0.1],
  ['2', 2],
  ['0.5', 0.5],
  ['1Gi', 2 ** 30],
  ['24581692Ki', 25_171_652_608],
  ['128974848', 128_974_848],
  ['129e6', 129_000_000],
  ['129E6', 129_000_000],
  ['129M', 129_000_000],
  ['2E', 2e18],
  ['1500u', 0.0015],
  [4, 4],
  [undefined, 0],
  ['a lot', 0],
  ['1.2.3', 0],
])('%s is %d', (quantity, amount) => {
  expect(amountOf(quantity)).toBe(amount);
});
