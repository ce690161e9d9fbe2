import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KubernetesCluster } from '../../../../scripts/kubernetes-cluster.js';
import { hasEnded } from '../life.ts';
import {
  control,
  FAULT_KUBECONFIG,
  get,
  makeClusterBed,
  ON_CLUSTER,
  running,
  settleAccounts,
  type ClusterFaultBed,
} from './cluster-fault-bed.ts';

const PLACE = { tool: process.env['BERTH_TEST_CLUSTER'] ?? '', folder: process.env['BERTH_TEST_FAULT_CLUSTER'] ?? '' };

describe.skipIf(FAULT_KUBECONFIG === undefined)('on Kubernetes', () => {
  let bed: ClusterFaultBed;
  let core: CoreV1Api;
  beforeAll(async () => {
    bed = await makeClusterBed({ BERTH_NODE_LOST_AFTER: '10s' });
    const kube = new KubeConfig();
    kube.loadFromFile(FAULT_KUBECONFIG ?? '');
    core = kube.makeApiClient(CoreV1Api);
  });
  afterAll(() => settleAccounts('lost node', [bed]));

  async function readyNodes(): Promise<readonly string[]> {
    const { items } = await core.listNode();
    const ready = items.filter(({ status }) => status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'));
    return ready.map(({ metadata }) => metadata?.name ?? '').toSorted();
  }

  test('a node dies: its sessions say so and are given up, those elsewhere go on, and another node takes new ones', async () => {
    const before = await readyNodes();
    const [spared, victim] = [before[0] ?? '', before.at(-1) ?? ''];
    expect(spared).not.toBe(victim);
    const [elsewhere, lost, stopped] = await Promise.all([
      running(bed, { node: spared }),
      running(bed, { node: victim }),
      running(bed, { node: victim }),
    ]);
    const pods = await Promise.all([elsewhere, lost].map(({ id }) => bed.ledger.podOf(id)));

    bed.outages += 1;
    await new KubernetesCluster(PLACE).killNode(victim);
    await bed.keeper.until(lost.id, 'told to be silent', ({ state, reason }) => {
      return state === 'running' && reason.startsWith(`its node ${victim} has not answered since 20`);
    });
    await bed.keeper.ask((client) => client.terminateSession(control(stopped.id)));
    const ended = await bed.keeper.until(lost.id, 'ended', hasEnded);
    expect(ended).toMatchObject({ state: 'error', cause: { code: 'node-lost' }, generation: lost.generation });
    expect(await bed.keeper.until(stopped.id, 'ended', hasEnded)).toMatchObject({ state: 'terminated' });
    expect(await get(bed, elsewhere.id)).toMatchObject({ state: 'running', reason: 'running', restarts: 0 });

    // Only the node could say that the processes have ended: what is there of them stays, marked, and nothing is beside it.
    const [there, gone] = await Promise.all([elsewhere, lost].map(({ id }) => bed.ledger.podOf(id)));
    expect([there, gone].map((pod) => pod?.metadata?.uid)).toEqual(pods.map(({ metadata }) => metadata?.uid));
    expect(there?.metadata?.deletionTimestamp).toBeUndefined();
    expect(gone?.metadata?.deletionTimestamp).toBeDefined();

    await new KubernetesCluster(PLACE).addNode(`docker.io/${(ON_CLUSTER.image ?? '').replace('docker://', '')}`);
    const added = (await readyNodes()).find((name) => !before.includes(name)) ?? '';
    expect((await running(bed, { node: added })).node).toBe(added);

    // Its operator knows that it will not come back.
    await core.deleteNode({ name: victim });
    for (const { id } of [lost, stopped]) await bed.ledger.deletePod(await bed.ledger.podOf(id));
  });
});
