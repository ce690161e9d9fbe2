import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig, NetworkingV1Api, type V1Pod } from '@kubernetes/client-node';

/**
 * A namespace of a test's own in a cluster, to which nothing else but one server belongs. Homes are in a folder of this
 * machine, which the nodes of the test cluster see; of another cluster's storage BERTH_TEST_CLUSTER_STORAGE tells.
 */
export class TestNamespace {
  readonly name: string;
  readonly core: CoreV1Api;
  readonly #kubeconfig: string;
  readonly #networking: NetworkingV1Api;
  readonly #homes: string;

  private constructor(kubeconfig: string, name: string, homes: string) {
    const kube = new KubeConfig();
    kube.loadFromFile(kubeconfig);
    this.core = kube.makeApiClient(CoreV1Api);
    this.#networking = kube.makeApiClient(NetworkingV1Api);
    this.#kubeconfig = kubeconfig;
    this.name = name;
    this.#homes = homes;
  }

  static async make(kubeconfig: string): Promise<TestNamespace> {
    const homes = await mkdtemp(join(tmpdir(), 'berth-homes-'));
    await chmod(homes, 0o1777);
    const namespace = new TestNamespace(kubeconfig, `berth-test-${randomUUID().slice(0, 8)}`, homes);
    await namespace.core.createNamespace({ body: { metadata: { name: namespace.name, labels: RESTRICTED } } });
    return namespace;
  }

  /** For the server. */
  get env(): Readonly<Record<string, string>> {
    return {
      BERTH_RUNTIME: 'kubernetes',
      KUBECONFIG: this.#kubeconfig,
      BERTH_KUBERNETES_NAMESPACE: this.name,
      BERTH_KUBERNETES_STORAGE: process.env['BERTH_TEST_CLUSTER_STORAGE'] ?? `host-path:${this.#homes}`,
    };
  }

  async pods(): Promise<readonly V1Pod[]> {
    return (await this.core.listNamespacedPod({ namespace: this.name })).items;
  }

  /** "pod NAME", "secret NAME", …: whatever sessions are made of. The service account's own is the cluster's. */
  async things(): Promise<readonly string[]> {
    const namespace = { namespace: this.name };
    const lists = await Promise.all([
      this.core.listNamespacedPod(namespace).then(named('pod')),
      this.core.listNamespacedSecret({ ...namespace, fieldSelector: 'type!=kubernetes.io/service-account-token' }).then(named('secret')),
      this.core.listNamespacedService(namespace).then(named('service')),
      this.#networking.listNamespacedNetworkPolicy(namespace).then(named('network policy')),
    ]);
    return lists.flat();
  }

  async remove(): Promise<void> {
    await this.core.deleteNamespace({ name: this.name, gracePeriodSeconds: 0 });
    await rm(this.#homes, { recursive: true, force: true });
  }
}

const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

const named =
  (kind: string) =>
  ({ items }: { items: readonly { metadata?: { name?: string } }[] }): string[] =>
    items.map(({ metadata }) => `${kind} ${metadata?.name}`);
