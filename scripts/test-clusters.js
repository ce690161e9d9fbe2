import { existsSync } from 'node:fs';
import { join, resolve as absolute } from 'node:path';
import { KubernetesCluster } from './kubernetes-cluster.js';
import { neededClusters } from './needed-clusters.js';
import { step } from './progress.js';
import { root } from './root.js';

/** The test bed's Kubernetes: a cluster for the whole suite, and one that the fault suite may break. */
export class TestClusters {
  /** @param {string} folder not below /run: the nodes keep their images and volumes there */
  constructor(folder) {
    this.tool = process.env.BERTH_TEST_CLUSTER ?? absolute(root, '../shared/k8s/cluster');
    const cluster = (name) => new KubernetesCluster({ tool: this.tool, folder: join(folder, name) });
    this.whole = cluster('cluster');
    this.faults = cluster('fault-cluster');
    this.wanted = [];
  }

  /** Decides which ones tests with these words in their paths get. Throws where there can be none, and has to be one. */
  choose(words) {
    const needed = neededClusters(words);
    const given = process.env.BERTH_TEST_KUBECONFIG;
    // A cluster that the caller names is taken as it is; but nobody's is broken.
    if (needed.whole && !given) this.wanted.push(['Kubernetes', this.whole]);
    if (needed.faults) this.wanted.push(['Kubernetes for the fault tests', this.faults]);
    if (this.wanted.length === 0 || existsSync(this.tool)) return;
    this.wanted = [];
    const what = given ? 'Kubernetes is not tested for faults' : 'Kubernetes is not tested';
    const remedy = given ? '' : ', or a cluster whose nodes have the image by BERTH_TEST_KUBECONFIG';
    const sentence = `${what}: the cluster tool is missing at ${this.tool}. Name it by BERTH_TEST_CLUSTER${remedy}.`;
    if (process.env.CI === 'true') throw new Error(sentence);
    process.stderr.write(`\n*** ${sentence} ***\n\n`);
  }

  async start() {
    let programs;
    for (const [title, cluster] of this.wanted) {
      await step(title, () => cluster.start({ nodes: 2, programs }));
      programs ??= cluster.programs;
    }
  }

  /** Takes an image from a container engine to every node of each. */
  async load(host, reference) {
    const load = ([, cluster]) => cluster.load(host, reference);
    if (this.wanted.length > 0) await step(`image ${reference} in Kubernetes`, () => Promise.all(this.wanted.map(load)));
  }

  /** Tell the tests where they are. */
  variables(image) {
    const has = (cluster) => this.wanted.some(([, one]) => one === cluster);
    return {
      BERTH_TEST_CLUSTER: this.tool,
      ...(has(this.whole) && { BERTH_TEST_KUBECONFIG: this.whole.kubeconfig, BERTH_TEST_CLUSTER_IMAGE: image }),
      ...(has(this.faults) && {
        BERTH_TEST_FAULT_KUBECONFIG: this.faults.kubeconfig,
        BERTH_TEST_FAULT_CLUSTER: this.faults.place.folder,
      }),
    };
  }

  /** Also those that a run left which was killed. */
  async remove() {
    // The second one runs the first one's programs.
    await this.faults.remove();
    await this.whole.remove();
  }
}
