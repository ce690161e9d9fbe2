import { expect, test } from 'vitest';
import { OneAtATime } from './one-at-a-time.ts';

test('who asks while it is under way gets the same; who asks later has it done again, also after a failure', async () => {
  const counts = new OneAtATime<number>();
  let done = 0;
  const count = (): Promise<number> => Promise.resolve((done += 1));
  const asked = [counts.run('a', count), counts.run('a', count), counts.run('b', count)];
  expect(await Promise.all(asked)).toEqual([1, 1, 2]);
  await expect(counts.run('a', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  expect(await counts.run('a', count)).toBe(3);
});
