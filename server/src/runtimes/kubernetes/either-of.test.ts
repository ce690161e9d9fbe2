import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eitherOf } from './either-of.ts';

const forever = (signal: AbortSignal): Promise<void> => delay(60_000, undefined, { signal }).catch(() => undefined);

async function* few(...items: readonly string[]): AsyncGenerator<string> {
  yield* items;
}

async function* endless(signal: AbortSignal, item: string): AsyncGenerator<string> {
  yield item;
  await forever(signal);
}

async function all(told: AsyncIterable<string>): Promise<readonly string[]> {
  const items: string[] = [];
  for await (const item of told) items.push(item);
  return items;
}

const { signal } = new AbortController();

describe('what either of two tells', () => {
  it('comes from both, and ends with the first', async () => {
    let ended = false;
    async function* second(ending: AbortSignal): AsyncGenerator<string> {
      yield* endless(ending, 'b');
      ended = true;
    }
    const told = await all(eitherOf(signal, () => few('a', 'c'), second));
    expect(told).toEqual(expect.arrayContaining(['a', 'c', 'b']));
    await expect.poll(() => ended).toBe(true);
  });

  it('outlives the second', async () => {
    const ending = new AbortController();
    const told = eitherOf(
      ending.signal,
      (until) => endless(until, 'a'),
      () => few('b'),
    );
    expect(new Set([(await told.next()).value, (await told.next()).value])).toEqual(new Set(['a', 'b']));
    ending.abort();
    expect((await told.next()).done).toBe(true);
  });

  it.each(['first', 'second'])('fails with the %s', async (which) => {
    async function* broken(): AsyncGenerator<string> {
      yield 'before';
      throw new Error('broken');
    }
    const whole = (until: AbortSignal): AsyncGenerator<string> => endless(until, 'a');
    const [first, second] = which === 'first' ? [broken, whole] : [whole, broken];
    await expect(all(eitherOf(signal, first, second))).rejects.toThrow('broken');
  });
});
