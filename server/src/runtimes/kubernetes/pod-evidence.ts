import type { V1Node, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import type { ClusterClient } from './cluster-client.ts';
import { ClusterRefusal } from './errors.ts';
import { instant } from './instant.ts';
import { mainState } from './main-container.ts';
import { ANNOTATION } from './names.ts';
import type { Evidence } from './observe.ts';

/** Many pods wait at once for the same reason. */
const FRESH_MS = 2_000;
/** Enough for those that were refused a place together. */
const NEW_MS = 200;

/** What is known of the cluster around a pod, asked for only as far as that pod gives reason to. */
export class PodEvidence {
  readonly #client: ClusterClient;
  readonly #nodes: Fresh<readonly V1Node[]>;
  readonly #pods: Fresh<readonly V1Pod[] | undefined>;
  readonly #claims: Fresh<readonly V1PersistentVolumeClaim[]>;

  constructor(client: ClusterClient) {
    this.#client = client;
    const { namespace } = client;
    this.#nodes = new Fresh(async () => (await client.call('cluster.node-list', (api) => api.core.listNode())).items);
    this.#pods = new Fresh(async () =>
      allowed(async () => (await client.call('cluster.pod-list', (api) => api.core.listPodForAllNamespaces())).items),
    );
    this.#claims = new Fresh(
      async () => (await client.call('cluster.claim-list', (api) => api.core.listNamespacedPersistentVolumeClaim({ namespace }))).items,
    );
  }

  nodes(): Promise<readonly V1Node[]> {
    return this.#nodes.get();
  }

  /** Of the whole cluster; undefined where they may not be listed. */
  pods(): Promise<readonly V1Pod[] | undefined> {
    return this.#pods.get();
  }

  async about(pod: V1Pod | undefined): Promise<Evidence> {
    const now = new Date();
    if (pod === undefined) return { now };
    if (isWaiting(pod)) {
      // What others take matters to who has no place, or no storage, yet.
      const isCrowded = pod.spec?.nodeName === undefined || hasClaims(pod);
      const [events, nodes, pods, claims] = await Promise.all([
        this.#events(pod),
        this.nodes(),
        isCrowded ? this.#pods.get(isRefusedJustNow(pod, now) ? NEW_MS : FRESH_MS) : undefined,
        hasClaims(pod) ? this.#claims.get() : undefined,
      ]);
      return { now, events, nodes, ...(pods && { pods }), ...(claims && { claims }) };
    }
    return isDoubtful(pod) ? { now, nodes: await this.nodes() } : { now };
  }

  async #events(pod: V1Pod): Promise<NonNullable<Evidence['events']>> {
    const { namespace } = this.#client;
    const fieldSelector = `involvedObject.name=${pod.metadata?.name ?? ''},involvedObject.uid=${pod.metadata?.uid ?? ''}`;
    const { items } = await this.#client.call('cluster.pod-events', (api) => api.core.listNamespacedEvent({ namespace, fieldSelector }));
    return items;
  }
}

const hasClaims = (pod: V1Pod): boolean => pod.spec?.volumes?.some((volume) => volume.persistentVolumeClaim !== undefined) === true;

/** Nobody has told of its container yet, neither its kubelet nor who let its process run. */
function isWaiting(pod: V1Pod): boolean {
  const state = mainState(pod);
  const told = state.running ?? state.terminated ?? pod.metadata?.annotations?.[ANNOTATION.startedAt];
  return pod.status?.phase === 'Pending' && told === undefined;
}

/** What was heard of the other pods before does not show why. */
function isRefusedJustNow(pod: V1Pod, now: Date): boolean {
  const placed = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const at = placed?.status === 'False' ? instant(placed.lastTransitionTime) : undefined;
  return at !== undefined && Math.abs(now.getTime() - at.getTime()) < FRESH_MS;
}

/** Its node may have fallen silent. */
const isDoubtful = (pod: V1Pod): boolean =>
  pod.metadata?.deletionTimestamp !== undefined ||
  pod.status?.phase === 'Unknown' ||
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status !== 'True') === true;

async function allowed<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof ClusterRefusal && error.status === 403) return undefined;
    throw error;
  }
}

/** An answer that serves all who ask within a moment. */
class Fresh<T> {
  readonly #ask: () => Promise<T>;
  #answer: { readonly at: number; readonly value: Promise<T> } | undefined;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  get(freshMs = FRESH_MS): Promise<T> {
    if (this.#answer === undefined || Date.now() - this.#answer.at > freshMs) {
      const value = this.#ask();
      this.#answer = { at: Date.now(), value };
      value.catch(() => (this.#answer = undefined));
    }
    return this.#answer.value;
  }
}
