import type {
  ContainerRef,
  ContainerSpec,
  ExecRequest,
  ImageRequest,
  ImageState,
  LogChunk,
  LogOptions,
  NodeFacts,
  Observed,
  Runtime,
  StorageRef,
  Terminal,
} from '../runtime.ts';
import type { Usage } from '../../domain/sessions/statistics.ts';
import { attachTo } from './attach-session.ts';
import { ClusterClient } from './cluster-client.ts';
import { eitherOf } from './either-of.ts';
import { execIn } from './exec-session.ts';
import { logsOf } from './log-stream.ts';
import { made } from './made.ts';
import { ANNOTATION, LABEL, podName, selectorOf } from './names.ts';
import { refOf } from '../container-labels.ts';
import { OneAtATime } from '../one-at-a-time.ts';
import { nodeFacts } from './node-facts.ts';
import type { KubernetesOptions } from './options.ts';
import { PodEvidence } from './pod-evidence.ts';
import { Pods } from './pods.ts';
import { ProcessSignals } from './process-signals.ts';
import { statisticsOf } from './statistics.ts';
import { StorageEraser } from './storage-eraser.ts';
import { claimManifest } from './storages.ts';
import { Tunnels } from './tunnel.ts';
import { watchPods } from './watch-pods.ts';
import { watchStarts } from './watch-starts.ts';

/** Nothing is asked of the cluster yet. Throws RuntimeError `fatal` where none is named. */
export const connectKubernetes = (options: KubernetesOptions): KubernetesRuntime => new KubernetesRuntime(options);

/** Kubernetes 1.20 or newer, by its stable APIs. A container is a pod of its own. */
export class KubernetesRuntime implements Runtime {
  readonly kind = 'kubernetes';
  readonly orchestrates = true;
  readonly logsApart = false;
  readonly #options: KubernetesOptions;
  readonly #client: ClusterClient;
  readonly #evidence: PodEvidence;
  readonly #pods: Pods;
  readonly #eraser: StorageEraser;
  readonly #counts = new OneAtATime<Usage | undefined>();
  readonly #tunnels: Tunnels;
  readonly #tunnelled: boolean;

  constructor(options: KubernetesOptions) {
    this.#options = options;
    const { kubeconfig, context, namespace, log, reach } = options;
    this.#client = new ClusterClient({ kubeconfig, context, namespace });
    this.#evidence = new PodEvidence(this.#client);
    this.#eraser = new StorageEraser(this.#client, options);
    this.#tunnels = new Tunnels(this.#client, { log });
    this.#tunnelled = reach === 'tunnel' || (reach === 'auto' && process.env['KUBERNETES_SERVICE_HOST'] === undefined);
    this.#pods = new Pods({
      client: this.#client,
      options,
      evidence: this.#evidence,
      signals: new ProcessSignals(this.#client),
      watchesPort: this.#tunnelled,
    });
  }

  /** Nodes get images by themselves, once a pod is on them. */
  ensureImage({ reference }: ImageRequest): Promise<ImageState> {
    return Promise.resolve({ phase: 'present', digest: reference });
  }

  async ensureStorage(_node: string, storage: StorageRef): Promise<void> {
    const body = claimManifest(storage, this.#options);
    if (body === undefined) return;
    const { namespace } = this.#client;
    await made(this.#client.call('cluster.claim-create', (api) => api.core.createNamespacedPersistentVolumeClaim({ namespace, body })));
  }

  removeStorage(storage: StorageRef): Promise<void> {
    return this.#eraser.remove(storage);
  }

  create(spec: ContainerSpec): Promise<void> {
    return this.#pods.create(spec);
  }

  start(ref: ContainerRef): Promise<void> {
    return this.#pods.start(ref);
  }

  stop(ref: ContainerRef, graceSeconds: number): Promise<void> {
    return this.#pods.stop(ref, graceSeconds);
  }

  async remove(ref: ContainerRef): Promise<void> {
    this.#tunnels.drop(podName(ref));
    await this.#pods.remove(ref);
  }

  inspect(ref: ContainerRef): Promise<Observed> {
    return this.#pods.observe(ref);
  }

  list(): Promise<readonly Observed[]> {
    return this.#pods.list();
  }

  async traces(): Promise<readonly string[]> {
    return [...new Set((await this.#leftBy()).map(({ sessionId }) => sessionId))];
  }

  async clear(sessionId: string): Promise<void> {
    for (const ref of await this.#leftBy(sessionId)) await this.#pods.clear(ref);
  }

  /** Network policies are there before what else belongs to a container, and go after it. */
  async #leftBy(sessionId?: string): Promise<readonly ContainerRef[]> {
    const { instance } = this.#options;
    const { namespace } = this.#client;
    const labelSelector = selectorOf({ [LABEL.instance]: instance, ...(sessionId !== undefined && { [LABEL.session]: sessionId }) });
    const { items } = await this.#client.call('cluster.policy-list', (api) =>
      api.networking.listNamespacedNetworkPolicy({ namespace, labelSelector }),
    );
    return items.flatMap(({ metadata }) => refOf(metadata?.labels, instance) ?? []);
  }

  async nodes(): Promise<readonly NodeFacts[]> {
    const { instance, gpuResource } = this.#options;
    const [nodes, pods] = await Promise.all([this.#evidence.nodes(), this.#evidence.pods()]);
    return nodeFacts(nodes, { instance, gpuResource, ...(pods && { pods }) });
  }

  /** From a list on, so that nothing is missed in between. */
  async *watch(signal: AbortSignal): AsyncGenerator<ContainerRef> {
    const { instance } = this.#options;
    const { namespace } = this.#client;
    const labelSelector = selectorOf({ [LABEL.instance]: instance });
    const { metadata } = await this.#client.call('cluster.pod-list', (api) =>
      api.core.listNamespacedPod({ namespace, labelSelector, limit: 1 }),
    );
    const resourceVersion = metadata?.resourceVersion ?? '';
    yield* eitherOf(
      signal,
      (ending) => watchPods(this.#client, { instance, resourceVersion, signal: ending }),
      (ending) => watchStarts(this.#client, ending),
    );
  }

  async endpoint(ref: ContainerRef, port: number): Promise<{ host: string; port: number } | undefined> {
    const pod = await this.#pods.find(ref);
    const host = pod?.status?.podIP;
    if (host === undefined || pod?.status?.phase !== 'Running') return undefined;
    return this.#tunnelled ? this.#tunnels.to({ pod: podName(ref), port }) : { host, port };
  }

  async statistics(ref: ContainerRef): Promise<Usage | undefined> {
    return this.#counts.run(podName(ref), async () => statisticsOf(this.#client, await this.#pods.find(ref)));
  }

  async *logs(ref: ContainerRef, options: LogOptions): AsyncGenerator<LogChunk> {
    const { metadata, spec, status } = await this.#pods.present(ref);
    // Its kubelet is about to tell: nothing needs to be asked of one that has given the pod up.
    const hasBegun = status?.phase === 'Pending' && metadata?.annotations?.[ANNOTATION.startedAt] !== undefined;
    yield* logsOf(this.#client, podName(ref), { ...options, hasBegun, tty: spec?.containers[0]?.tty === true });
  }

  async attach(ref: ContainerRef, options = { stdin: true }): Promise<Terminal> {
    const { metadata, spec } = await this.#pods.reachable(ref);
    const { stdin = false, tty = false } = spec?.containers[0] ?? {};
    const form = metadata?.annotations?.[ANNOTATION.stdin] === 'framed' ? 'framed' : 'raw';
    return attachTo(this.#client, { pod: podName(ref), tty, stdin: stdin && options.stdin ? form : 'none' });
  }

  async exec(ref: ContainerRef, request: ExecRequest): Promise<Terminal> {
    const { metadata } = await this.#pods.present(ref);
    const shell = metadata?.annotations?.[ANNOTATION.gate] !== 'none';
    return execIn(this.#client, { pod: podName(ref), shell }, request, this.#options.log);
  }

  close(): Promise<void> {
    this.#tunnels.close();
    this.#client.close();
    return Promise.resolve();
  }
}
