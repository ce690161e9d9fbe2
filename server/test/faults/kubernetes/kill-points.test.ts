import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { KILL_POINTS, type KillPoint } from '../../../src/kill-points.ts';
import { nothingLeftOver } from '../bed.ts';
import { live, storageComesAndGoes } from '../life.ts';
import { sidesOf } from '../sides-of.ts';
import { FAULT_KUBECONFIG, makeClusterBed, ON_CLUSTER, settleAccounts, type ClusterFaultBed } from './cluster-fault-bed.ts';
import { HomeVolumes } from './home-volumes.ts';

/** A person's connection: it ends with the server and is made again. */
const ON_DEMAND: readonly KillPoint[] = ['cluster.pod-attach', 'cluster.pod-tunnel', 'cluster.version'];
/** Passed by sessions of several containers. */
const OF_SEVERAL: readonly KillPoint[] = ['cluster.service-create', 'cluster.service-delete'];
/** Passed while a server starts, and seldom afterwards. */
const AT_START: readonly KillPoint[] = ['cluster.pod-watch', 'cluster.node-list'];

/** Passed by the first session of a user who has no home in this cluster. */
const FIRST_TIME: readonly KillPoint[] = ['cluster.claim-create'];
/** Passed when a storage is deleted. */
const OF_STORAGES: readonly KillPoint[] = ['cluster.claim-delete'];

const POINTS = KILL_POINTS.filter((point) => point.startsWith('cluster.') && !ON_DEMAND.includes(point));
const CASES = POINTS.flatMap((point, index) => sidesOf(index).map((side) => ({ point, side })));
/** Servers side by side, each in a namespace of its own: a session on a cluster waits most of its life. */
const LANES = 3;

describe.skipIf(FAULT_KUBECONFIG === undefined)('on Kubernetes', () => {
  let volumes: HomeVolumes;
  let beds: ClusterFaultBed[];
  const free: ClusterFaultBed[] = [];
  beforeAll(async () => {
    volumes = await HomeVolumes.make(FAULT_KUBECONFIG ?? '', LANES + 2 * sidesOf(0).length);
    beds = await Promise.all(Array.from({ length: LANES }, () => makeClusterBed({ BERTH_KUBERNETES_STORAGE: volumes.setting })));
    free.push(...beds);
  });
  afterAll(async () => {
    await settleAccounts('kill points', beds);
    await volumes.remove();
  });

  /** Whichever server is free does it. */
  async function onBed(work: (bed: ClusterFaultBed) => Promise<void>): Promise<void> {
    const bed = await vi.waitUntil(() => free.pop(), { timeout: 600_000 });
    await work(bed).finally(() => free.push(bed));
  }

  test.concurrent.each(CASES)('the server is killed $side $point: the session still lives its life', ({ point, side }) =>
    onBed(async (bed) => {
      const { keeper, ledger } = bed;
      const { kills } = keeper;
      if (FIRST_TIME.includes(point))
        await ledger.namespace.core.deleteCollectionNamespacedPersistentVolumeClaim({ namespace: ledger.namespace.name });
      if (AT_START.includes(point)) await keeper.armNextStart(`${point}:${side}`);
      else await keeper.arm(`${point}:${side}`);
      const expected = AT_START.includes(point) ? kills + 1 : kills;
      const several = OF_SEVERAL.includes(point) ? { clusterSize: 2 } : {};
      expect(await live(keeper, { ...ON_CLUSTER, ...several })).toMatchObject({ state: 'terminated' });
      if (OF_STORAGES.includes(point)) await storageComesAndGoes(keeper, ON_CLUSTER);
      await vi.waitUntil(() => keeper.kills > expected, { timeout: 30_000 });
      expect(await nothingLeftOver(bed)).toEqual([]);
      expect(ledger.violations).toEqual([]);
    }),
  );
});
