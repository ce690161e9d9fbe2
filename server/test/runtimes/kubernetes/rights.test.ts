import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectKubernetes, type KubernetesRuntime } from '../../../src/runtimes/kubernetes/kubernetes-runtime.ts';
import { logText, plainSpec, untilPhase } from '../../../src/runtimes/runtime-conformance.ts';
import type { ContainerRef, Observed } from '../../../src/runtimes/runtime.ts';
import { IMAGE, KUBECONFIG } from './cluster-bed.ts';
import { RecordedRequests } from './recorded-requests.ts';
import { ServerAccount } from './server-account.ts';

/** A WebSocket begins as a GET, and API servers before 1.35 ask for the right to that; those from 1.35 on for this one. */
const FOR_NEWER_CLUSTERS = ['create pods/exec', 'create pods/attach'];

/** Of a class that no cluster has: what mounts it waits for ever. */
const STORAGE = { kind: 'class', name: 'berth-test-absent', size: '1Gi', accessMode: 'ReadWriteMany' } as const;

describe.skipIf(KUBECONFIG === undefined)('the rights in deploy/kubernetes/server/rights.yaml', () => {
  let account: ServerAccount;
  let requests: RecordedRequests;
  let runtime: KubernetesRuntime;

  beforeAll(async () => {
    account = await ServerAccount.make(KUBECONFIG ?? '');
    requests = new RecordedRequests(account.token);
    runtime = connectKubernetes({
      instance: randomUUID(),
      namespace: account.sessions,
      kubeconfig: account.kubeconfig,
      storage: STORAGE,
      helperImage: IMAGE,
      gpuResource: 'nvidia.com/gpu',
      pools: [],
      // As a server in the cluster does.
      reach: 'pod',
      gateway: {},
      egressAllow: [],
      clusterRanges: [],
      log: () => undefined,
    });
  });
  afterAll(async () => {
    requests?.stop();
    await runtime?.close();
    await account?.remove();
  });

  it('are all that a server needs, and nothing more', async () => {
    await live(runtime);
    await waitInVain(runtime);
    await leaveTraces(runtime);
    expect(requests.refused).toEqual([]);
    expect([...requests.used].toSorted()).toEqual(account.granted.filter((right) => !FOR_NEWER_CLUSTERS.includes(right)).toSorted());
    expect(account.granted).toEqual(expect.arrayContaining(FOR_NEWER_CLUSTERS));
  });
});

/** A session's life, with all that people do in it. */
async function live(runtime: KubernetesRuntime): Promise<void> {
  const watching = new AbortController();
  const seen: ContainerRef[] = [];
  const watched = watch(runtime, { seen, signal: watching.signal });
  watched.catch(() => undefined); // where something else fails first, that is what is told
  const command = ['sh', '-c', 'echo first; sleep 1000'];
  const spec = plainSpec(IMAGE, { command, env: { WORD: 'secret' }, port: 8000, stopGraceSeconds: 1 });
  const { ref } = spec;
  await runtime.ensureImage({ node: '', reference: IMAGE, pull: 'missing', key: randomUUID() });
  await runtime.create(spec);
  const attached = await runtime.attach(ref);
  await runtime.start(ref);
  await untilPhase(runtime, ref, 'running');
  const exec = await runtime.exec(ref, { command: ['echo', 'inside'], tty: null });
  expect(await text(exec.stdout)).toBe('inside\n');
  expect(await exec.exited).toBe(0);
  await expect.poll(() => runtime.endpoint(ref, 8000), { timeout: 30_000 }).toMatchObject({ port: 8000 });
  expect(await logText(runtime, ref, { follow: false })).toBe('first\n');
  expect(await runtime.list()).toMatchObject([{ ref, phase: 'running' }]);
  expect(await runtime.nodes()).not.toEqual([]);
  await runtime.stop(ref, 1);
  attached.close();
  await runtime.remove(ref);
  await expect.poll(() => seen.length, { timeout: 30_000 }).toBeGreaterThan(0);
  watching.abort();
  await watched;
}

/** One of several containers, and the storage that they mount never comes. What belongs to all goes with the first. */
async function waitInVain(runtime: KubernetesRuntime): Promise<void> {
  const storage = { name: 'home-ada', uid: 1000, gid: 1000 };
  const plain = plainSpec(IMAGE, { mounts: [{ storage, target: '/home/ada', readOnly: false }], peers: ['sub1', 'sub2'] });
  const spec = { ...plain, ref: { ...plain.ref, container: 'sub1' } };
  await runtime.ensureStorage('', storage);
  await runtime.create(spec);
  const waiting = async (): Promise<Observed['waiting']> => (await runtime.inspect(spec.ref)).waiting;
  await expect.poll(waiting, { timeout: 30_000 }).toMatchObject({ for: 'room' });
  await runtime.remove(spec.ref);
  await runtime.remove(plain.ref);
  await runtime.removeStorage(storage);
}

/** Its pod is deleted, and the server that did it is no more. */
async function leaveTraces(runtime: KubernetesRuntime): Promise<void> {
  const spec = plainSpec(IMAGE);
  await runtime.create(spec);
  expect(await runtime.traces()).toEqual([spec.ref.sessionId]);
  await runtime.remove(spec.ref);
  await runtime.clear(spec.ref.sessionId);
  expect(await runtime.traces()).toEqual([]);
}

async function watch(runtime: KubernetesRuntime, { seen, signal }: { seen: ContainerRef[]; signal: AbortSignal }): Promise<void> {
  for await (const ref of runtime.watch(signal)) seen.push(ref);
}
