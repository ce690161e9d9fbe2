import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';

const CLASS = 'fault-suite';

/** Volumes for claims of homes, as an administrator would have laid them out: so the server has claims to make. */
export class HomeVolumes {
  /** For BERTH_KUBERNETES_STORAGE. */
  readonly setting = `class:${CLASS}:1Gi:ReadWriteMany`;
  readonly #core: CoreV1Api;
  readonly #folder: string;

  private constructor(core: CoreV1Api, folder: string) {
    this.#core = core;
    this.#folder = folder;
  }

  static async make(kubeconfig: string, count: number): Promise<HomeVolumes> {
    const kube = new KubeConfig();
    kube.loadFromFile(kubeconfig);
    const folder = await mkdtemp(join(tmpdir(), 'berth-homes-'));
    await chmod(folder, 0o1777);
    const volumes = new HomeVolumes(kube.makeApiClient(CoreV1Api), folder);
    for (let index = 0; index < count; index += 1) await volumes.#add(`${CLASS}-${index}`);
    return volumes;
  }

  async #add(name: string): Promise<void> {
    const spec = {
      storageClassName: CLASS,
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteMany'],
      hostPath: { path: this.#folder },
      persistentVolumeReclaimPolicy: 'Retain',
    };
    await this.#core.createPersistentVolume({ body: { metadata: { name, labels: { 'berth.test': CLASS } }, spec } });
  }

  async remove(): Promise<void> {
    await this.#core.deleteCollectionPersistentVolume({ labelSelector: `berth.test=${CLASS}` });
    await rm(this.#folder, { recursive: true, force: true });
  }
}
