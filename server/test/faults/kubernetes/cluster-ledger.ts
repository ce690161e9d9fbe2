import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api, KubeConfig, makeInformer, type V1Pod } from '@kubernetes/client-node';
import { LABEL } from '../../../src/runtimes/kubernetes/names.ts';
import type { TestNamespace } from '../../support/test-namespace.ts';
import type { Ledger } from '../ledger.ts';

/** Follows the pods of a namespace, across outages of the API server. */
export class ClusterLedger implements Ledger {
  readonly violations: string[] = [];
  readonly namespace: TestNamespace;
  created = 0;
  /** Of each session's container: pods that are there and have not ended. */
  readonly #alive = new Map<string, Set<string>>();
  /** Of each name: every pod that ever had it. */
  readonly #made = new Map<string, Set<string>>();
  readonly #repeating = new Set<string>();
  readonly #stop: () => void;

  private constructor(kubeconfig: string, namespace: TestNamespace) {
    this.namespace = namespace;
    const kube = new KubeConfig();
    kube.loadFromFile(kubeconfig);
    const core = kube.makeApiClient(CoreV1Api);
    const { name } = namespace;
    const informer = makeInformer(kube, `/api/v1/namespaces/${name}/pods`, () => core.listNamespacedPod({ namespace: name }));
    let closed = false;
    informer.on('add', (pod) => this.#seen(pod));
    informer.on('update', (pod) => this.#seen(pod));
    informer.on('delete', (pod) => this.#gone(pod));
    informer.on('error', () => void delay(200).then(() => (closed ? undefined : informer.start())));
    void informer.start();
    this.#stop = () => {
      closed = true;
      void informer.stop();
    };
  }

  static follow(kubeconfig: string, namespace: TestNamespace): ClusterLedger {
    return new ClusterLedger(kubeconfig, namespace);
  }

  /** The test itself takes this session's pod away: another one of the same generation may follow. */
  mayRepeat(sessionId: string): void {
    this.#repeating.add(sessionId);
  }

  #seen(pod: V1Pod): void {
    const { uid = '', name = '', labels = {} } = pod.metadata ?? {};
    const session = labels[LABEL.session] ?? '';
    const made = setOf(this.#made, name);
    if (!made.has(uid)) {
      made.add(uid);
      this.created += 1;
      if (made.size > 1 && !this.#repeating.has(session)) this.violations.push(`${name} was made ${made.size} times`);
    }
    const key = `${session} ${labels[LABEL.container]}`;
    const alive = setOf(this.#alive, key);
    if (hasEnded(pod)) alive.delete(uid);
    else alive.add(uid);
    if (alive.size > 1) this.violations.push(`${alive.size} pods of ${key} at once`);
  }

  #gone({ metadata }: V1Pod): void {
    for (const alive of this.#alive.values()) alive.delete(metadata?.uid ?? '');
  }

  /** Whatever is in the namespace; the installation has it for itself. */
  async leftovers(_instance: string, live: ReadonlySet<string>): Promise<readonly string[]> {
    const things = await this.namespace.things();
    return things.filter((thing) => !live.has(/ berth-([0-9a-f-]{36})-g\d+/.exec(thing)?.[1] ?? ''));
  }

  async podOf(sessionId: string): Promise<V1Pod> {
    const pods = (await this.namespace.pods()).filter(({ metadata }) => metadata?.labels?.[LABEL.session] === sessionId);
    const [pod] = pods;
    if (pod === undefined || pods.length > 1) throw new Error(`session ${sessionId} has ${pods.length} pods`);
    return pod;
  }

  /** As `kubectl delete --now --force` does. */
  async deletePod(pod: V1Pod): Promise<void> {
    const { namespace } = this;
    await namespace.core.deleteNamespacedPod({ name: pod.metadata?.name ?? '', namespace: namespace.name, gracePeriodSeconds: 0 });
  }

  close(): void {
    this.#stop();
  }
}

const hasEnded = ({ status }: V1Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}
