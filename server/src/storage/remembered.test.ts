import { expect, test } from 'vitest';
import { Remembered } from './remembered.ts';

let clock = 0;
const remembered = (): Remembered<string> => new Remembered(1_000, () => clock);

test('is read once in its time', async () => {
  const names = remembered();
  let reads = 0;
  const read = async (): Promise<string> => `read ${(reads += 1)}`;
  expect(await names.get('a', read)).toBe('read 1');
  clock += 999;
  expect(await names.get('a', read)).toBe('read 1');
  expect(await names.get('b', read)).toBe('read 2');
  clock += 1;
  expect(await names.get('a', read)).toBe('read 3');
});

test('what is forgotten while it is read does not come back', async () => {
  const rights = remembered();
  const old = Promise.withResolvers<string>();
  const asked = rights.get('a', () => old.promise);
  rights.forget();
  old.resolve('may');
  expect(await asked).toBe('may');
  expect(await rights.get('a', async () => 'may not')).toBe('may not');
});

test('neither a failure nor what is not there is kept', async () => {
  const names = remembered();
  await expect(names.get('a', () => Promise.reject(new Error('the database is away')))).rejects.toThrow('away');
  expect(await names.get('a', async () => undefined)).toBeUndefined();
  expect(await names.get('a', async () => 'there')).toBe('there');
});
