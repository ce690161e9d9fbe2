import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterApi } from './cluster-api.ts';

/** What a watcher of a pod hears one after the other. */
const MILESTONES: readonly (readonly [name: string, reached: (pod: V1Pod) => boolean])[] = [
  ['the pod is there', () => true],
  ['it has a place', (pod) => pod.spec?.nodeName !== undefined],
  ['it is ready', (pod) => isReady(pod)],
];

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
const hasEnded = ({ status }: V1Pod): boolean => status?.phase === 'Failed' || status?.phase === 'Succeeded';

interface Sighting {
  /** In ms since the epoch. */
  readonly at: Map<string, number>;
  readonly ready: PromiseWithResolvers<void>;
}

const PATIENCE_MS = 120_000;

/** Looks on at all pods of a namespace over one kept watch, and remembers when what was heard of each. */
export class PodSightings {
  private readonly api: ClusterApi;
  private readonly path: string;
  private readonly pods = new Map<string, Sighting>();
  private readonly ending = new AbortController();
  private readonly watching: Promise<void>;

  constructor(api: ClusterApi, namespace: string) {
    this.api = api;
    this.path = `/api/v1/namespaces/${namespace}/pods?watch=true`;
    this.watching = this.watch();
  }

  /** Milestones in ms since `from`, itself in ms since the epoch. */
  of(pod: string, from: number): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.sighting(pod).at].map(([name, at]) => [name, at - from]));
  }

  async untilReady(pod: string): Promise<void> {
    const giveUp = new AbortController();
    const late = delay(PATIENCE_MS, undefined, { signal: giveUp.signal }).then(() => {
      throw new Error(`pod ${pod} is not ready after ${PATIENCE_MS / 1000} s`);
    });
    late.catch(() => undefined);
    await Promise.race([this.sighting(pod).ready.promise, late]);
    giveUp.abort();
  }

  async close(): Promise<void> {
    this.ending.abort();
    await this.watching;
  }

  /** A watch without a resource version begins with all that is there: nothing is missed between two of them. */
  private async watch(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      try {
        for await (const line of createInterface({ input: await this.api.open('GET', this.path, { signal }) })) {
          const { type, object } = JSON.parse(line) as { type: string; object: V1Pod };
          if (type === 'ADDED' || type === 'MODIFIED') this.note(object);
        }
      } catch (error) {
        if (signal.aborted) return;
        console.error(`the watch of pods broke, and is begun again: ${String(error)}`);
        await delay(100);
      }
    }
  }

  private note(pod: V1Pod): void {
    const now = performance.timeOrigin + performance.now();
    const name = pod.metadata?.name ?? '';
    const { at, ready } = this.sighting(name);
    for (const [milestone, reached] of MILESTONES) if (!at.has(milestone) && reached(pod)) at.set(milestone, now);
    if (isReady(pod)) ready.resolve();
    else if (hasEnded(pod)) ready.reject(new Error(`pod ${name} has ended: ${JSON.stringify(pod.status?.containerStatuses)}`));
  }

  private sighting(pod: string): Sighting {
    const known = this.pods.get(pod);
    if (known !== undefined) return known;
    const sighting: Sighting = { at: new Map(), ready: Promise.withResolvers() };
    // Nobody may be waiting for it.
    sighting.ready.promise.catch(() => undefined);
    this.pods.set(pod, sighting);
    return sighting;
  }
}
