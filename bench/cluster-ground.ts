import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from '@berth/contract';
import { BarePods } from './bare-pods.ts';
import { ClusterApi } from './cluster-api.ts';
import type { Goals, Ground } from './ground.ts';
import { PodSightings } from './pod-sightings.ts';

const GONE_WITHIN_MS = 120_000;

/** A namespace of its own in the cluster of KUBECONFIG. */
export class ClusterGround implements Ground {
  readonly word = 'pod';
  readonly goals: Goals = { one: 1.1 };
  readonly environment: Readonly<Record<string, string>>;
  private readonly api: ClusterApi;
  private readonly namespace: string;
  private readonly sightings: PodSightings;

  private constructor(api: ClusterApi, namespace: string) {
    this.api = api;
    this.namespace = namespace;
    this.sightings = new PodSightings(api, namespace);
    this.environment = { BERTH_RUNTIME: 'kubernetes', BERTH_KUBERNETES_NAMESPACE: namespace, BERTH_KUBERNETES_STORAGE: 'none' };
  }

  static async prepare(): Promise<ClusterGround> {
    const api = new ClusterApi();
    const namespace = `berth-bench-${randomUUID().slice(0, 8)}`;
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await api.post('/api/v1/namespaces', { metadata: { name: namespace, labels } });
    return new ClusterGround(api, namespace);
  }

  async describe(): Promise<string> {
    const [{ gitVersion }, { items }] = await Promise.all([
      this.api.get<{ gitVersion: string }>('/version'),
      this.api.get<{ items: readonly unknown[] }>('/api/v1/nodes'),
    ]);
    return `Kubernetes ${gitVersion} with ${items.length} nodes`;
  }

  async holds(instance: string): Promise<boolean> {
    const query = `labelSelector=${encodeURIComponent(`berth.instance=${instance}`)}`;
    const core = `/api/v1/namespaces/${this.namespace}`;
    const policies = `/apis/networking.k8s.io/v1/namespaces/${this.namespace}/networkpolicies`;
    const lists = await Promise.all(
      [`${core}/pods`, `${core}/secrets`, policies].map((path) => this.api.get<{ items: readonly unknown[] }>(`${path}?${query}`)),
    );
    return lists.some(({ items }) => items.length > 0);
  }

  bareLike(session: Session): Promise<BarePods> {
    return BarePods.like({ api: this.api, sightings: this.sightings, namespace: this.namespace }, session);
  }

  seen(sessionId: string, askedAt: number): Readonly<Record<string, number>> {
    return this.sightings.of(`berth-${sessionId}-g1-main1`, askedAt);
  }

  async dispose(): Promise<void> {
    await this.sightings.close();
    const pods = `/api/v1/namespaces/${this.namespace}/pods`;
    const { items } = await this.api.get<{ items: readonly { metadata: { name: string } }[] }>(pods);
    await Promise.all(items.map(({ metadata }) => this.api.delete(`${pods}/${metadata.name}`)));
    const path = `/api/v1/namespaces/${this.namespace}`;
    await this.api.delete(path);
    const until = Date.now() + GONE_WITHIN_MS;
    while (await this.isThere()) {
      if (Date.now() > until) throw new Error(`the cluster has not removed namespace ${this.namespace} yet`);
      await delay(500);
    }
    this.api.close();
  }

  private async isThere(): Promise<boolean> {
    const { items } = await this.api.get<{ items: readonly { metadata: { name: string } }[] }>('/api/v1/namespaces');
    return items.some(({ metadata }) => metadata.name === this.namespace);
  }
}
