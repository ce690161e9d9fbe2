import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeError, type StorageRef } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { eraserManifest, eraserName } from './eraser-manifest.ts';
import { made } from './made.ts';
import { claimName } from './names.ts';
import type { KubernetesOptions } from './options.ts';

const LOOK_EVERY_MS = 200;
/** Whoever asked comes again: what takes longer is found where it then is. */
const PATIENCE_MS = 10_000;

/** Takes storages away: a claim of its own is deleted, a folder of a shared volume emptied by a pod. */
export class StorageEraser {
  readonly #client: ClusterClient;
  readonly #options: KubernetesOptions;

  constructor(client: ClusterClient, options: KubernetesOptions) {
    this.#client = client;
    this.#options = options;
  }

  async remove(storage: StorageRef): Promise<void> {
    const { kind } = this.#options.storage;
    // Of those that are gone with their pod nothing is there.
    if (kind !== 'none') await (kind === 'class' ? this.#deleteClaim(storage) : this.#empty(storage));
  }

  /** The cluster keeps it while a pod mounts it. */
  async #deleteClaim(storage: StorageRef): Promise<void> {
    const { namespace } = this.#client;
    const name = claimName(this.#options.instance, storage.name);
    const request = { name, namespace };
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(LOOK_EVERY_MS)) {
      const left = await this.#client.find('cluster.claim-delete', (api) => api.core.deleteNamespacedPersistentVolumeClaim(request));
      if (left === undefined) return;
    }
    throw notYet(`the claim ${name} is still in use by a pod`);
  }

  async #empty(storage: StorageRef): Promise<void> {
    const { namespace } = this.#client;
    const name = eraserName(storage);
    const body = eraserManifest(storage, this.#options);
    await made(this.#client.call('cluster.pod-create', (api) => api.core.createNamespacedPod({ namespace, body })));
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(LOOK_EVERY_MS)) {
      const pod = await this.#client.find('cluster.pod-get', (api) => api.core.readNamespacedPod({ name, namespace }));
      const phase = pod?.status?.phase;
      if (phase === 'Succeeded' || phase === 'Failed') await this.#deletePod(name);
      if (phase === 'Succeeded') return;
      if (phase === 'Failed' || pod === undefined) throw notYet(`the pod ${name}, which empties it, failed`);
    }
    throw notYet(`the pod ${name}, which empties it, has not ended yet`);
  }

  async #deletePod(name: string): Promise<void> {
    const request = { name, namespace: this.#client.namespace, gracePeriodSeconds: 0 };
    await this.#client.find('cluster.pod-delete', (api) => api.core.deleteNamespacedPod(request));
  }
}

const notYet = (message: string): RuntimeError =>
  new RuntimeError('retry', { code: 'rejected', message, remedy: 'It is tried again. "kubectl describe" says more.' });
