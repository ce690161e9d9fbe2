import { describe, test } from 'vitest';
import { storm } from '../storm.ts';
import { FAULT_KUBECONFIG, makeClusterBed, ON_CLUSTER, settleAccounts } from './cluster-fault-bed.ts';

const KILLS = Number(process.env['BERTH_TEST_RANDOM_KILLS'] ?? 20);
const SEED = Number(process.env['BERTH_TEST_SEED'] ?? Date.now() % 1_000_000);

describe.skipIf(FAULT_KUBECONFIG === undefined)('on Kubernetes', () => {
  test(
    `${KILLS} kills at random moments while sessions live their lives`,
    async () => {
      const bed = await makeClusterBed();
      const lives = await storm(bed.keeper, { kills: KILLS, seed: SEED, lanes: 3, more: ON_CLUSTER });
      console.log(`kubernetes random kills: seed ${SEED}, ${lives} sessions lived to their end`);
      await settleAccounts('random kills', [bed]);
    },
    Math.max(1_800_000, KILLS * 20_000),
  );
});
