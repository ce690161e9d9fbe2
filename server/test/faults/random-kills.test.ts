import { expect, test } from 'vitest';
import { clearBed, makeBed, nothingLeftOver } from './bed.ts';
import { storm } from './storm.ts';

const KILLS = Number(process.env['BERTH_TEST_RANDOM_KILLS'] ?? 50);
const SEED = Number(process.env['BERTH_TEST_SEED'] ?? Date.now() % 1_000_000);

test(`${KILLS} kills at random moments while sessions live their lives`, async () => {
  const bed = await makeBed();
  const lives = await storm(bed.keeper, { kills: KILLS, seed: SEED, lanes: 3 });
  const leftovers = await nothingLeftOver(bed);
  console.log(
    `random kills: seed ${SEED}, ${bed.keeper.kills} kills, ${lives} sessions lived to their end, ${bed.ledger.created} containers checked, violations: ${bed.ledger.violations.length + leftovers.length}`,
  );
  expect(bed.ledger.violations).toEqual([]);
  expect(await clearBed(bed)).toEqual([]);
}, 1_800_000);
