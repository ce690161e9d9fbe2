import { randomUUID } from 'node:crypto';
import type { V1NetworkPolicy, V1Pod, V1Secret } from '@kubernetes/client-node';
import type { Session } from '@berth/contract';
import type { ClusterApi } from './cluster-api.ts';
import type { Bare, BareStart } from './ground.ts';
import type { PodSightings } from './pod-sightings.ts';

interface Manifests {
  readonly secret: V1Secret;
  readonly policy: V1NetworkPolicy;
  readonly pod: V1Pod;
}

/** Makes the pod of a session once more, with nothing but calls of the API; what it runs is the command itself. */
export class BarePods implements Bare {
  readonly atOnce = Number.POSITIVE_INFINITY;
  private readonly api: ClusterApi;
  private readonly sightings: PodSightings;
  private readonly namespace: string;
  private readonly sessionId: string;
  private readonly manifests: string;

  private constructor(parts: { api: ClusterApi; sightings: PodSightings; namespace: string }, sessionId: string, manifests: Manifests) {
    this.api = parts.api;
    this.sightings = parts.sightings;
    this.namespace = parts.namespace;
    this.sessionId = sessionId;
    this.manifests = JSON.stringify(manifests);
  }

  /** The same secret, network policy and pod, read back from a session's own. */
  static async like(parts: { api: ClusterApi; sightings: PodSightings; namespace: string }, session: Session): Promise<BarePods> {
    const { api, namespace } = parts;
    const query = `labelSelector=${encodeURIComponent(`berth.session=${session.id}`)}`;
    const only = async <T>(path: string): Promise<T> => {
      const { items } = await api.get<{ items: readonly T[] }>(`${path}?${query}`);
      const [item] = items;
      if (item === undefined || items.length > 1) throw new Error(`${path} has ${items.length} objects of session ${session.id}`);
      return item;
    };
    const [secret, policy, pod] = await Promise.all([
      only<V1Secret>(`/api/v1/namespaces/${namespace}/secrets`),
      only<V1NetworkPolicy>(policies(namespace)),
      only<V1Pod>(`/api/v1/namespaces/${namespace}/pods`),
    ]);
    return new BarePods(parts, session.id, { secret: bared(secret), policy: bared(policy), pod: withoutGate(bared(pod), session.command) });
  }

  /** The secret and the policy are there before the time is taken: what counts is the pod. */
  async start(): Promise<BareStart> {
    const { secret, policy, pod } = this.another();
    await Promise.all([
      this.api.post(`/api/v1/namespaces/${this.namespace}/secrets`, secret),
      this.api.post(policies(this.namespace), policy),
    ]);
    const name = pod.metadata?.name ?? '';
    const begun = performance.now();
    await this.api.post(`/api/v1/namespaces/${this.namespace}/pods`, pod);
    await this.sightings.untilReady(name);
    const ready = performance.now() - begun;
    return {
      ready,
      steps: {},
      seen: this.sightings.of(name, performance.timeOrigin + begun),
      remove: () => this.remove(name),
    };
  }

  /** All of it is in the namespace, which goes as a whole. */
  dispose(): Promise<void> {
    return Promise.resolve();
  }

  /** Names and labels of another session, and none that Berth would take for its own. */
  private another(): Manifests {
    return JSON.parse(this.manifests.replaceAll(this.sessionId, randomUUID()).replaceAll('"berth.', '"berth-bench.')) as Manifests;
  }

  /** Its secret and its policy are called as it is. */
  private async remove(name: string): Promise<void> {
    const core = `/api/v1/namespaces/${this.namespace}`;
    await Promise.all(
      [`${core}/pods/${name}`, `${core}/secrets/${name}`, `${policies(this.namespace)}/${name}`].map((path) => this.api.delete(path)),
    );
  }
}

const policies = (namespace: string): string => `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;

/** As it was asked for: without what the cluster wrote into it. */
function bared<T extends V1Secret | V1NetworkPolicy | V1Pod>({ metadata, ...rest }: T): T {
  const { name, labels, annotations } = metadata ?? {};
  const { status: _status, ...wanted } = rest as { status?: unknown };
  return { ...wanted, metadata: { name, labels, annotations } } as T;
}

function withoutGate({ metadata = {}, spec: asMade }: V1Pod, command: readonly string[]): V1Pod {
  const { nodeName: _node, containers = [], ...spec } = asMade ?? {};
  const [main, ...more] = containers;
  if (main === undefined || more.length > 0) throw new Error(`the session's pod has ${containers.length} containers`);
  const { args: _args, ...kept } = main;
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...spec, containers: [{ ...kept, command: [...command] }] } };
}
