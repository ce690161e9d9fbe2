import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { saveImage } from './engine-api.js';
import { must } from './run.js';

/** A Kubernetes cluster of our own, made by the cluster tool on this machine. Needs root. */
export class KubernetesCluster {
  /** @param {{ tool: string, folder: string }} place the tool is a program; the folder may not be below /run */
  constructor(place) {
    this.place = place;
    this.kubeconfig = join(place.folder, 'kubeconfig');
  }

  #tool(args, options) {
    return must(this.place.tool, args, options);
  }

  /** Where the programs lie that it runs, once it is up: a second one need not unpack them again. */
  get programs() {
    return join(this.place.folder, 'bin');
  }

  async start({ nodes, programs }) {
    const { folder } = this.place;
    await this.#tool(['up', folder, '--nodes', String(nodes), ...(programs === undefined ? [] : ['--bin', programs])]);
  }

  /** Takes an image from a container engine to every node. */
  async load(host, reference) {
    await this.#tool(['load', this.place.folder, '-'], { source: await saveImage(host, reference) });
  }

  /** One more node, with an image that n1 has. */
  async addNode(image) {
    const { folder } = this.place;
    const archive = join(folder, 'image.tar');
    await this.#tool(['add-node', folder]);
    await this.#tool(['sh', folder, 'n1', 'ctr', '--namespace', 'k8s.io', 'images', 'export', archive, image]);
    await this.#tool(['load', folder, archive]);
    rmSync(archive);
  }

  /** As when its power fails: every process of it ends at once. */
  async killNode(name) {
    await this.#tool(['stop-node', this.place.folder, name]);
  }

  /** Ends it and takes away what it has on the machine; also what a start left that was killed. */
  async remove() {
    const { tool, folder } = this.place;
    if (!existsSync(folder)) return;
    if (existsSync(join(folder, 'env')) && !existsSync(tool))
      throw new Error(`A cluster runs in ${folder}, and the tool that could end it is not at ${tool}: name it by BERTH_TEST_CLUSTER.`);
    if (readdirSync(folder).length > 0) await this.#tool(['down', folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}
