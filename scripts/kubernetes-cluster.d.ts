/** A Kubernetes cluster of our own, made by the cluster tool on this machine. */
export class KubernetesCluster {
  constructor(place: { tool: string; folder: string });
  readonly kubeconfig: string;
  /** One more node, with an image that n1 has. */
  addNode(image: string): Promise<void>;
  /** Every process of the node ends at once. */
  killNode(name: string): Promise<void>;
}
