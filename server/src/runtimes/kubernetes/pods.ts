import { setTimeout as delay } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { MAIN } from '../../domain/sessions/container-plan.ts';
import { RuntimeError, type ContainerRef, type ContainerSpec, type Observed } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import type { PodEvidence } from './pod-evidence.ts';
import { ANNOTATION, LABEL, networkPolicyName, podName, secretName, selectorOf, serviceName } from './names.ts';
import { refOf } from '../container-labels.ts';
import { made } from './made.ts';
import { mainContainer, mainState, runsBootstrap } from './main-container.ts';
import { networkPolicyManifest, walledBy } from './network-policy-manifest.ts';
import { endFailure } from './failures.ts';
import { observe } from './observe.ts';
import type { KubernetesOptions } from './options.ts';
import { podManifest, ungated } from './pod-manifest.ts';
import type { ProcessSignals } from './process-signals.ts';
import { secretManifest } from './secret-manifest.ts';
import { serviceManifest } from './service-manifest.ts';

const LOOK_EVERY_MS = 100;
const START_PATIENCE_MS = 60_000;
const GONE_PATIENCE_MS = 30_000;
/** After the kill: what the kubelet may need to notice and to say so. */
const KILLED_PATIENCE_MS = 20_000;

interface Parts {
  readonly client: ClusterClient;
  readonly options: KubernetesOptions;
  readonly evidence: PodEvidence;
  readonly signals: ProcessSignals;
  /** The kubelet tells whether the declared port answers; else whoever can reach it asks itself. */
  readonly watchesPort: boolean;
}

/** Towards what is wanted, one pod at a time. What is already so is success. */
export class Pods {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Undefined also for one of that name which is not ours. */
  async find(ref: ContainerRef): Promise<V1Pod | undefined> {
    const { client, options } = this.#parts;
    const request = { name: podName(ref), namespace: client.namespace };
    const pod = await client.find('cluster.pod-get', (api) => api.core.readNamespacedPod(request));
    return refOf(pod?.metadata?.labels, options.instance) === undefined ? undefined : pod;
  }

  async present(ref: ContainerRef): Promise<V1Pod> {
    const pod = await this.find(ref);
    if (pod === undefined) throw lost();
    return pod;
  }

  async observe(ref: ContainerRef): Promise<Observed> {
    return this.#observed(ref, await this.find(ref));
  }

  /** One whose image has no shell waits to be made again without a gate. */
  async #observed(ref: ContainerRef, pod: V1Pod | undefined): Promise<Observed> {
    if (pod !== undefined && needsNoGate(pod)) return { ref, phase: 'created', ...(pod.spec?.nodeName && { node: pod.spec.nodeName }) };
    const observed = observe(ref, pod, await this.#parts.evidence.about(pod));
    if (!this.#parts.watchesPort || observed.phase !== 'running' || !hasProbe(pod)) return observed;
    return { ...observed, answers: pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true };
  }

  async list(): Promise<readonly Observed[]> {
    const { client, options } = this.#parts;
    const labelSelector = selectorOf({ [LABEL.instance]: options.instance });
    // Before the pods: the walls of one that is listed were there first, unless somebody took them away.
    const walls = await this.#walls();
    const { items } = await client.call('cluster.pod-list', (api) =>
      api.core.listNamespacedPod({ namespace: client.namespace, labelSelector }),
    );
    await this.#rebuildWalls(items.filter((pod) => !walls.has(pod.metadata?.name ?? '')));
    const evidence = { now: new Date(), nodes: await this.#parts.evidence.nodes() };
    return items.flatMap((pod) => {
      const ref = refOf(pod.metadata?.labels, options.instance);
      if (ref === undefined) return [];
      return [needsNoGate(pod) ? { ref, phase: 'created' } : observe(ref, pod, evidence)];
    });
  }

  async #walls(): Promise<ReadonlySet<string>> {
    const { client, options } = this.#parts;
    const labelSelector = selectorOf({ [LABEL.instance]: options.instance });
    const { items } = await client.call('cluster.policy-list', (api) =>
      api.networking.listNamespacedNetworkPolicy({ namespace: client.namespace, labelSelector }),
    );
    return new Set(items.map(({ metadata }) => metadata?.name ?? ''));
  }

  async #rebuildWalls(pods: readonly V1Pod[]): Promise<void> {
    const { client, options } = this.#parts;
    for (const pod of pods) {
      const ref = refOf(pod.metadata?.labels, options.instance);
      if (ref === undefined || hasEnded(ref, pod)) continue;
      options.log('warn', 'the network policy of a session was gone; it is made again', { ...ref });
      const body = networkPolicyManifest(walledBy(pod, ref), options);
      await made(
        client.call('cluster.policy-create', (api) => api.networking.createNamespacedNetworkPolicy({ namespace: client.namespace, body })),
      );
    }
  }

  /** What confines it is there before it. */
  async create(spec: ContainerSpec): Promise<void> {
    const { client, options } = this.#parts;
    const { namespace } = client;
    const service = serviceManifest(spec, options);
    await Promise.all([
      made(
        client.call('cluster.secret-create', (api) => api.core.createNamespacedSecret({ namespace, body: secretManifest(spec, options) })),
      ),
      made(
        client.call('cluster.policy-create', (api) =>
          api.networking.createNamespacedNetworkPolicy({ namespace, body: networkPolicyManifest(spec, options) }),
        ),
      ),
      service && made(client.call('cluster.service-create', (api) => api.core.createNamespacedService({ namespace, body: service }))),
    ]);
    await this.#createPod(podManifest(spec, options));
  }

  async #createPod(body: V1Pod): Promise<void> {
    const { client } = this.#parts;
    await made(client.call('cluster.pod-create', (api) => api.core.createNamespacedPod({ namespace: client.namespace, body })));
  }

  /** Waits until the process can be let run, and lets it. First the gate, then the note: what dies in between is asked to start again. */
  async start(ref: ContainerRef): Promise<void> {
    for (const patience = until(START_PATIENCE_MS); ; await patience('is not ready to start')) {
      const pod = await this.present(ref);
      if (needsNoGate(pod)) await this.#replaceUngated(ref, pod);
      else {
        const { phase, waiting } = await this.#observed(ref, pod);
        if (phase !== 'created') return;
        if (waiting === undefined && (await this.#parts.signals.openGate(ref))) {
          await this.#annotate(ref, ANNOTATION.startedAt);
          return;
        }
      }
    }
  }

  /** When the main process is at its gate, or beyond it: then its streams are there. */
  async reachable(ref: ContainerRef): Promise<V1Pod> {
    for (const patience = until(START_PATIENCE_MS); ; await patience('is not ready')) {
      const pod = await this.present(ref);
      const { phase, waiting } = await this.#observed(ref, pod);
      if (phase !== 'created' || (waiting === undefined && !needsNoGate(pod))) return pod;
    }
  }

  async #replaceUngated(ref: ContainerRef, pod: V1Pod): Promise<void> {
    await this.#delete(ref, 0);
    await this.#createPod(ungated(pod));
  }

  async #annotate(ref: ContainerRef, annotation: string): Promise<void> {
    const { client } = this.#parts;
    const body = { metadata: { annotations: { [annotation]: new Date().toISOString() } } };
    const request = { name: podName(ref), namespace: client.namespace, body };
    await client.find('cluster.pod-patch', (api) => api.core.patchNamespacedPod(request));
  }

  /**
   * By signals from inside, as other engines do it: the kubelet's own ways to end a process take its exit code or its log away.
   * Where there is no shell to send them, by the pod's deadline.
   */
  async stop(ref: ContainerRef, graceSeconds: number): Promise<void> {
    const pod = await this.find(ref);
    if (pod === undefined || !hasRun(pod) || hasEnded(ref, pod)) return;
    if (isGated(pod) && (await this.#stopBySignals(ref, { graceSeconds, tty: mainContainer(pod)?.tty === true }))) return;
    await this.#stopByDeadline(ref, pod);
  }

  /** False: it cannot be told, or does not end. */
  async #stopBySignals(ref: ContainerRef, { graceSeconds, tty }: { graceSeconds: number; tty: boolean }): Promise<boolean> {
    const { signals } = this.#parts;
    if (graceSeconds > 0 && (await signals.ask(ref, tty)) && (await this.#ends(ref, graceSeconds * 1000))) return true;
    return (await signals.kill(ref)) && this.#ends(ref, KILLED_PATIENCE_MS);
  }

  async #stopByDeadline(ref: ContainerRef, pod: V1Pod): Promise<void> {
    const { client } = this.#parts;
    await this.#annotate(ref, ANNOTATION.stoppedAt);
    const body = { spec: { activeDeadlineSeconds: 1 } };
    const request = { name: podName(ref), namespace: client.namespace, body };
    await client.find('cluster.pod-patch', (api) => api.core.patchNamespacedPod(request));
    const graceMs = (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    if (!(await this.#ends(ref, graceMs + KILLED_PATIENCE_MS))) throw stubborn('its process does not end');
  }

  async #ends(ref: ContainerRef, withinMs: number): Promise<boolean> {
    for (const end = Date.now() + withinMs; Date.now() < end; await delay(LOOK_EVERY_MS)) {
      const pod = await this.find(ref);
      if (pod === undefined || hasEnded(ref, pod)) return true;
    }
    return false;
  }

  /** Its policy goes last: by that, what is left of a container is found. */
  async remove(ref: ContainerRef): Promise<void> {
    const pod = await this.find(ref);
    if (pod !== undefined) await this.#removePod(ref, pod);
    await this.clear(ref, pod === undefined || pod.metadata?.annotations?.[ANNOTATION.peers] !== undefined);
  }

  async #removePod(ref: ContainerRef, pod: V1Pod): Promise<void> {
    const { silent, phase, waiting } = await this.#observed(ref, pod);
    // Only the node can say that the process has ended: until it answers, the name stays taken.
    if (silent !== undefined) return this.#delete(ref);
    if (hasRun(pod) && !hasEnded(ref, pod)) await this.stop(ref, 0);
    // Just started, and somebody may have opened its gate and died before the note.
    else if (isGated(pod) && phase === 'created' && waiting === undefined) await this.#parts.signals.kill(ref);
    // At its gate no process of the session's can run, so nobody need wait for the node to clean up.
    const harmless = isGated(pod) || hasRun(pod) || pod.spec?.nodeName === undefined;
    await this.#delete(ref, harmless ? 0 : undefined);
    for (const patience = until(GONE_PATIENCE_MS); (await this.find(ref)) !== undefined;) await patience('is not removed');
  }

  async #delete(ref: ContainerRef, gracePeriodSeconds?: number): Promise<void> {
    const { client } = this.#parts;
    const request = { name: podName(ref), namespace: client.namespace, ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }) };
    await client.find('cluster.pod-delete', (api) => api.core.deleteNamespacedPod(request));
  }

  /** What belongs to the container besides its pod; with main1 also what belongs to all of its generation, where it has peers. */
  async clear(ref: ContainerRef, hasPeers = true): Promise<void> {
    const { client } = this.#parts;
    const { namespace } = client;
    const secret = { name: secretName(ref), namespace };
    const service = { name: serviceName(ref), namespace };
    const policy = { name: networkPolicyName(ref), namespace };
    await client.find('cluster.secret-delete', (api) => api.core.deleteNamespacedSecret(secret));
    if (ref.container === MAIN && hasPeers) await client.find('cluster.service-delete', (api) => api.core.deleteNamespacedService(service));
    await client.find('cluster.policy-delete', (api) => api.networking.deleteNamespacedNetworkPolicy(policy));
  }
}

/** Its container was there, as far as the pod tells: alive, at its gate, or dead. */
const hasRun = (pod: V1Pod): boolean => {
  const state = mainState(pod);
  return state.running !== undefined || state.terminated !== undefined || pod.metadata?.annotations?.[ANNOTATION.startedAt] !== undefined;
};

const hasEnded = (ref: ContainerRef, pod: V1Pod): boolean => observe(ref, pod, { now: new Date() }).phase === 'exited';

const isGated = (pod: V1Pod): boolean => pod.metadata?.annotations?.[ANNOTATION.gate] !== 'none';

/** The image has no shell to wait at the gate, and a command was given that needs none. Without one no bootstrap script runs either. */
const needsNoGate = (pod: V1Pod): boolean => {
  const { terminated: ended } = mainState(pod);
  const given = pod.metadata?.annotations?.[ANNOTATION.command] !== 'login-shell' && !runsBootstrap(pod);
  return isGated(pod) && given && ended !== undefined && endFailure(pod, ended)?.code === 'no-shell';
};

const hasProbe = (pod: V1Pod | undefined): boolean => pod !== undefined && mainContainer(pod)?.readinessProbe !== undefined;

/** A pause between two looks, and an error when they have been too many. */
function until(ms: number): (what: string) => Promise<void> {
  const end = Date.now() + ms;
  return async (what) => {
    if (Date.now() > end) throw stubborn(`its container ${what} after ${ms / 1000} s`);
    await delay(LOOK_EVERY_MS);
  };
}

const stubborn = (message: string): RuntimeError =>
  new RuntimeError('retry', { code: 'rejected', message, remedy: 'It is tried again. "kubectl describe pod" says more.' });

const lost = (): RuntimeError =>
  new RuntimeError('retry', {
    code: 'container-lost',
    message: 'the cluster has no container of this session',
    remedy: 'Start the session again.',
  });
