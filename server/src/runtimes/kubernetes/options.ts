import type { V1Toleration } from '@kubernetes/client-node';

export interface KubernetesOptions {
  /** Identity of this installation, a uuid: what carries another one is not ours. */
  readonly instance: string;
  /** Where everything is made. */
  readonly namespace: string;
  /** A path; else KUBECONFIG, else the cluster this server runs in. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly storage: StorageSource;
  /** Of pods that Berth needs for a moment: it has sh, find and chmod. */
  readonly helperImage: string;
  /** The name under which the cluster counts GPUs: `nvidia.com/gpu`. */
  readonly gpuResource: string;
  /** Empty: all nodes, without tolerations. */
  readonly pools: readonly NodePool[];
  /** How this server gets to ports of pods: by address, or through the API server. */
  readonly reach: 'auto' | 'pod' | 'tunnel';
  /** Whose connections a session takes; without labels nobody's but its own containers'. */
  readonly gateway: Gateway;
  /** IPv4 or IPv6 addresses and networks that sessions reach besides the Internet. */
  readonly egressAllow: readonly string[];
  /** Networks of pods, services and nodes, where they are not private ones anyway: no session gets there. */
  readonly clusterRanges: readonly string[];
  /** Where the cluster's resolver answers; else it is known by its label `k8s-app: kube-dns`. */
  readonly dnsRange?: string;
  /** The end of the cluster's own names: `cluster.local`. */
  readonly clusterDomain?: string;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;
}

/** Nodes that are alike, and what a pod needs to get there. */
export interface NodePool {
  readonly name: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly V1Toleration[];
  readonly priorityClass?: string;
  readonly gpus?: boolean;
}

export interface Gateway {
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly podLabels?: Readonly<Record<string, string>>;
}

/**
 * Where storages live. `class`: a claim for each. The others hold them as folders of one volume, whose root must be
 * writable by all (mode 1777): the kubelet makes a missing folder with the mode of the root. `none`: gone with the pod.
 */
export type StorageSource =
  | { readonly kind: 'class'; readonly name?: string; readonly size: string; readonly accessMode: AccessMode }
  | { readonly kind: 'claim'; readonly name: string }
  | { readonly kind: 'host-path'; readonly path: string }
  | { readonly kind: 'nfs'; readonly server: string; readonly path: string }
  | { readonly kind: 'none' };

export type AccessMode = 'ReadWriteOnce' | 'ReadWriteMany' | 'ReadWriteOncePod';
