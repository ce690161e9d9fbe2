import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { clearBed, makeBed, nothingLeftOver } from './bed.ts';
import { live } from './life.ts';

const KILLS = Number(process.env['BERTH_TEST_RANDOM_KILLS'] ?? 100);
const SEED = Number(process.env['BERTH_TEST_SEED'] ?? Date.now() % 1_000_000);
const LANES = 3;

test(`${KILLS} kills at random moments while sessions live their lives`, async () => {
  const bed = await makeBed();
  const random = randomFrom(SEED);
  let lives = 0;
  const storm = { over: false };
  const lane = async (): Promise<void> => {
    while (!storm.over) {
      const ended = await live(bed.keeper);
      expect(ended).toMatchObject({ state: 'terminated' });
      lives += 1;
    }
  };
  const lanes = Array.from({ length: LANES }, lane);
  for (let kill = 0; kill < KILLS; kill += 1) {
    await bed.keeper.ready();
    await delay(random() * 900);
    await bed.keeper.kill();
  }
  storm.over = true;
  await Promise.all(lanes);
  const leftovers = await nothingLeftOver(bed);
  console.log(
    `random kills: seed ${SEED}, ${bed.keeper.kills} kills, ${lives} sessions lived to their end, ${bed.ledger.created} containers checked, violations: ${bed.ledger.violations.length + leftovers.length}`,
  );
  expect(bed.ledger.violations).toEqual([]);
  expect(await clearBed(bed)).toEqual([]);
}, 1_800_000);

/** A small seeded generator (mulberry32), so that a failing run can be had again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
