import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { asked } from './life.ts';
import { live } from './life.ts';
import type { Keeper } from './keeper.ts';
import { seededRandom } from './seeded-random.ts';

/** The share of lives that may last long enough for a whole start on a busy machine: with none of them nothing could ever run. */
const CALM = 0.15;

export interface Weather {
  readonly kills: number;
  readonly seed: number;
  /** Sessions side by side. */
  readonly lanes: number;
  /** Of every session. */
  readonly more?: Parameters<typeof asked>[0];
}

/** Sessions live one life after the other while the server is killed at random moments. Answers how many came to their end. */
export async function storm(keeper: Keeper, { kills, seed, lanes, more }: Weather): Promise<number> {
  const random = seededRandom(seed);
  const state = { over: false };
  let lives = 0;
  const lane = async (): Promise<void> => {
    while (!state.over) {
      expect(await live(keeper, more)).toMatchObject({ state: 'terminated' });
      lives += 1;
    }
  };
  const running = Array.from({ length: lanes }, lane);
  for (let kill = 0; kill < kills; kill += 1) {
    await keeper.ready();
    await delay(random() * (random() < CALM ? 4500 : 900));
    await keeper.kill();
  }
  state.over = true;
  await Promise.all(running);
  return lives;
}
