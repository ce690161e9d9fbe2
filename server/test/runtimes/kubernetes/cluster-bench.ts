import { randomUUID } from 'node:crypto';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { Bench } from '../../../src/runtimes/runtime-conformance.ts';
import { connectKubernetes, type KubernetesRuntime } from '../../../src/runtimes/kubernetes/kubernetes-runtime.ts';
import type { KubernetesOptions } from '../../../src/runtimes/kubernetes/options.ts';
import { IMAGE, KUBECONFIG } from './cluster-bed.ts';

export interface ClusterBench extends Bench {
  readonly runtime: KubernetesRuntime;
  readonly instance: string;
  readonly namespace: string;
  /** The cluster itself, to look behind the runtime's back. */
  readonly core: CoreV1Api;
}

/** Two installations in a namespace of their own. */
export async function clusterBench(changes: Partial<KubernetesOptions> = {}): Promise<ClusterBench> {
  const kube = new KubeConfig();
  kube.loadFromFile(KUBECONFIG ?? '');
  const core = kube.makeApiClient(CoreV1Api);
  const namespace = `berth-test-${randomUUID().slice(0, 8)}`;
  await core.createNamespace({ body: { metadata: { name: namespace, labels: RESTRICTED } } });
  const [ours, theirs] = [randomUUID(), randomUUID()];
  const options = (instance: string): KubernetesOptions => ({
    instance,
    namespace,
    ...(KUBECONFIG !== undefined && { kubeconfig: KUBECONFIG }),
    storage: { kind: 'none' },
    helperImage: IMAGE,
    gpuResource: 'nvidia.com/gpu',
    pools: [],
    reach: 'auto',
    gateway: {},
    egressAllow: [],
    clusterRanges: [],
    log: () => undefined,
    ...changes,
  });
  const runtimes = [ours, theirs].map((instance) => connectKubernetes(options(instance)));
  const [runtime, stranger] = runtimes;
  if (runtime === undefined || stranger === undefined) throw new Error('two installations were connected');
  return {
    runtime,
    stranger,
    instance: ours,
    namespace,
    core,
    image: IMAGE,
    again() {
      const another = connectKubernetes(options(ours));
      runtimes.push(another);
      return another;
    },
    async close() {
      await Promise.all(runtimes.map((one) => one.close()));
      await core.deleteNamespace({ name: namespace, gracePeriodSeconds: 0 });
    },
  };
}

const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };
