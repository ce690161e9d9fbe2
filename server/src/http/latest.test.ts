import { expect, test } from 'vitest';
import { Latest } from './latest.ts';

test('one at a time, and of what is asked meanwhile only the last', async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const latest = new Latest<number>(async (value) => {
    begun.push(value);
    await new Promise<void>((resolve) => ends.push(resolve));
  });
  const all = [1, 2, 3].map((value) => latest.ask(value));
  expect(begun).toEqual([1]);
  ends[0]?.();
  await expect.poll(() => begun).toEqual([1, 3]);
  ends[1]?.();
  await Promise.all(all);
  void latest.ask(4);
  expect(begun).toEqual([1, 3, 4]);
});

test('one that fails does not keep later ones waiting', async () => {
  const latest = new Latest<number>((value) => (value === 1 ? Promise.reject(new Error('no')) : Promise.resolve()));
  await expect(latest.ask(1)).rejects.toThrow('no');
  await expect(latest.ask(2)).resolves.toBeUndefined();
});
