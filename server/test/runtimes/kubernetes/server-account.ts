import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoreV1Api, KubeConfig, KubernetesObjectApi, loadAllYaml, type V1PolicyRule } from '@kubernetes/client-node';

const RIGHTS = fileURLToPath(new URL('../../../../deploy/kubernetes/server/rights.yaml', import.meta.url));

interface RightsObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly V1PolicyRule[];
  readonly roleRef?: { readonly name: string };
  readonly subjects?: readonly { readonly namespace: string }[];
}

/** The service account of the manifests with its rights, in namespaces of a test's own; what is the whole cluster's goes with it. */
export class ServerAccount {
  /** Where sessions would be. */
  readonly sessions: string;
  readonly token: string;
  /** A file. */
  readonly kubeconfig: string;
  /** "VERB RESOURCE", in the sessions' namespace, or "VERB RESOURCE everywhere". */
  readonly granted: readonly string[];
  readonly #remove: () => Promise<void>;

  private constructor(made: Pick<ServerAccount, 'sessions' | 'token' | 'kubeconfig' | 'granted'>, remove: () => Promise<void>) {
    this.sessions = made.sessions;
    this.token = made.token;
    this.kubeconfig = made.kubeconfig;
    this.granted = made.granted;
    this.#remove = remove;
  }

  static async make(kubeconfig: string): Promise<ServerAccount> {
    const kube = new KubeConfig();
    kube.loadFromFile(kubeconfig);
    const core = kube.makeApiClient(CoreV1Api);
    const name = `berth-test-${randomUUID().slice(0, 8)}`;
    const sessions = `${name}-sessions`;
    for (const namespace of [name, sessions]) await core.createNamespace({ body: { metadata: { name: namespace } } });
    const rights = (loadAllYaml(await readFile(RIGHTS, 'utf8')) as RightsObject[]).map((object) => moved(object, name));
    const objects = KubernetesObjectApi.makeApiClient(kube);
    for (const object of rights) await objects.create(object);
    // Its audience and time are the API server's own choice.
    const asked = { name: 'berth', namespace: name, body: { spec: { audiences: [] } } };
    const token = (await core.createNamespacedServiceAccountToken(asked)).status?.token ?? '';
    const folder = await mkdtemp(join(tmpdir(), 'berth-account-'));
    const path = join(folder, 'kubeconfig');
    await writeFile(path, kubeconfigOf(kube, token), { mode: 0o600 });
    return new ServerAccount({ sessions, token, kubeconfig: path, granted: rights.flatMap(grantedBy) }, async () => {
      for (const object of rights.filter(({ metadata }) => metadata.namespace === undefined)) await objects.delete(object);
      for (const namespace of [name, sessions]) await core.deleteNamespace({ name: namespace, gracePeriodSeconds: 0 });
      await rm(folder, { recursive: true });
    });
  }

  async remove(): Promise<void> {
    await this.#remove();
  }
}

/** From the namespaces `berth` and `berth-sessions` to those of the test; without a namespace, by another name. */
function moved(object: RightsObject, name: string): RightsObject {
  const to = (namespace: string): string => namespace.replace(/^berth/, name);
  const { metadata, roleRef, subjects } = object;
  const renamed = metadata.namespace === undefined && { name };
  return {
    ...object,
    metadata: { ...metadata, ...(metadata.namespace === undefined ? renamed : { namespace: to(metadata.namespace) }) },
    ...(roleRef && { roleRef: { ...roleRef, ...renamed } }),
    ...(subjects && { subjects: subjects.map((subject) => ({ ...subject, namespace: to(subject.namespace) })) }),
  };
}

const grantedBy = ({ kind, rules = [] }: RightsObject): string[] =>
  rules.flatMap(({ verbs, resources = [] }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}${kind === 'ClusterRole' ? ' everywhere' : ''}`)),
  );

function kubeconfigOf(admin: KubeConfig, token: string): string {
  const kube = new KubeConfig();
  const cluster = admin.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig names no cluster');
  const context = { name: 'test', cluster: cluster.name, user: 'berth' };
  kube.loadFromOptions({ clusters: [cluster], users: [{ name: 'berth', token }], contexts: [context], currentContext: 'test' });
  return kube.exportConfig();
}
