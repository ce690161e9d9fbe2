import { NetworkingV1Api, KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ANNOTATION, LABEL } from '../../../src/runtimes/kubernetes/names.ts';
import { nothingLeftOver } from '../bed.ts';
import { create, hasEnded, isRunning } from '../life.ts';
import {
  control,
  FAULT_KUBECONFIG,
  makeClusterBed,
  ON_CLUSTER,
  running,
  settleAccounts,
  type ClusterFaultBed,
} from './cluster-fault-bed.ts';

const LOST = { state: 'error', cause: { code: 'container-lost' } };

describe.skipIf(FAULT_KUBECONFIG === undefined)('on Kubernetes', () => {
  let bed: ClusterFaultBed;
  beforeAll(async () => (bed = await makeClusterBed()));
  afterAll(() => settleAccounts('behind its back', [bed]));
  const ended = (id: string) => bed.keeper.until(id, 'ended', hasEnded);
  const terminate = (id: string) => bed.keeper.ask((client) => client.terminateSession(control(id)));

  test('its pod is deleted while nobody looks: the session says so', async () => {
    const { id } = await running(bed);
    await bed.keeper.kill();
    await bed.ledger.deletePod(await bed.ledger.podOf(id));
    expect(await ended(id)).toMatchObject(LOST);
    expect(await nothingLeftOver(bed)).toEqual([]);
  });

  test('its pod is deleted as kubectl does it: the session says so', async () => {
    const { id } = await running(bed);
    // A kubelet of that age may forget for a minute what it is told of a pod that it has not told of itself.
    const { metadata } = await vi.waitUntil(() => podThat(id, isKnownToRun), { timeout: 60_000, interval: 200 });
    const { core, name: namespace } = bed.ledger.namespace;
    await core.deleteNamespacedPod({ name: metadata?.name ?? '', namespace });
    // Its log went with it; the kubelet's word for that is nothing the container printed.
    expect(await ended(id)).toMatchObject({ ...LOST, lastLog: [] });
  });

  test('its pod is deleted while it waits at its gate: it gets another', async () => {
    const { id } = await create(bed.keeper, { ...ON_CLUSTER, stdin: 'once' });
    const pod = await vi.waitUntil(() => podThat(id, isAtGate), { timeout: 60_000, interval: 100 });
    bed.ledger.mayRepeat(id);
    await bed.ledger.deletePod(pod);
    await bed.keeper.until(id, 'running', isRunning);
    expect((await bed.ledger.podOf(id)).metadata?.uid).not.toBe(pod.metadata?.uid);
    await terminate(id);
    expect(await ended(id)).toMatchObject({ state: 'terminated' });
  });

  test('its pod is deleted while it is being paused: it is paused, and can be resumed', async () => {
    const { id } = await running(bed);
    const pod = await bed.ledger.podOf(id);
    await bed.keeper.ask((client) => client.pauseSession(control(id)));
    await bed.keeper.until(id, 'being paused', ({ state }) => state === 'pausing' || state === 'paused');
    // Berth may have been faster.
    await bed.ledger.deletePod(pod).catch((error: unknown) => expect(error).toMatchObject({ code: 404 }));
    await bed.keeper.until(id, 'paused', ({ state }) => state === 'paused');
    expect((await bed.ledger.namespace.things()).filter((thing) => thing.includes(id))).toEqual([]);
    await bed.keeper.ask((client) => client.resumeSession(control(id)));
    await bed.keeper.until(id, 'running again', isRunning);
  });

  test('its secret and its policy are deleted: the policy comes back, the secret with a restart, and nothing is left', async () => {
    const { id } = await running(bed);
    const name = (await bed.ledger.podOf(id)).metadata?.name ?? '';
    const { namespace } = bed.ledger;
    const kube = new KubeConfig();
    kube.loadFromFile(FAULT_KUBECONFIG ?? '');
    await namespace.core.deleteNamespacedSecret({ name, namespace: namespace.name });
    await kube.makeApiClient(NetworkingV1Api).deleteNamespacedNetworkPolicy({ name, namespace: namespace.name });
    const isWalled = async () => (await namespace.things()).some((thing) => thing.startsWith('network policy') && thing.includes(id));
    await vi.waitUntil(isWalled, { timeout: 30_000, interval: 200 });
    await bed.keeper.ask((client) => client.restartSession(control(id)));
    await bed.keeper.until(id, 'restarted', (session) => isRunning(session) && session.restarts > 0);
    const things = await namespace.things();
    expect(things.filter((thing) => thing.includes(id)).map((thing) => thing.replace(/ berth-.*/, ''))).toEqual([
      'pod',
      'secret',
      'network policy',
    ]);
    await terminate(id);
    await ended(id);
    expect(await nothingLeftOver(bed)).toEqual([]);
  });

  test('a pod that no session knows is kept aside, not removed', async () => {
    const { id } = await running(bed);
    const { metadata, spec } = await bed.ledger.podOf(id);
    const unknown = '01900000-0000-7000-8000-00000000dead';
    const { core, name: namespace } = bed.ledger.namespace;
    const stray = `berth-${unknown}-g1-main1`;
    const labels = { ...metadata?.labels, [LABEL.session]: unknown };
    const main = { name: 'main', image: spec?.containers[0]?.image ?? '', imagePullPolicy: 'Never', command: ['sleep', '600'] };
    const confined = { automountServiceAccountToken: false, securityContext: spec?.securityContext ?? {} };
    const body = { metadata: { name: stray, labels }, spec: { ...confined, containers: [main] } };
    await core.createNamespacedPod({ namespace, body });
    await vi.waitUntil(async () => (await nodes())[0]?.quarantined === 1, { timeout: 30_000 });
    const there = await core.readNamespacedPod({ name: stray, namespace });
    expect(there.metadata?.deletionTimestamp).toBeUndefined();
    await bed.ledger.deletePod(there);
  });

  const podThat = async (id: string, is: (pod: V1Pod) => boolean) =>
    (await bed.ledger.namespace.pods()).find((pod) => pod.metadata?.labels?.[LABEL.session] === id && is(pod));
  const nodes = async () => (await bed.keeper.ask((client) => client.listNodes({ query: {} }))).items;
});

const isKnownToRun = ({ status }: V1Pod): boolean =>
  status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;

/** Its container runs, and was not let go yet. */
const isAtGate = (pod: V1Pod): boolean => isKnownToRun(pod) && pod.metadata?.annotations?.[ANNOTATION.startedAt] === undefined;
