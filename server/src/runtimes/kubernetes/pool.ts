import type { V1PodSpec, V1Toleration } from '@kubernetes/client-node';
import type { ContainerSpec } from '../runtime.ts';
import type { NodePool } from './options.ts';

type Wish = Pick<ContainerSpec, 'node'> & { readonly limits: Pick<ContainerSpec['limits'], 'gpus'> };

const ANY_NODE: NodePool = { name: '', nodeSelector: {}, tolerations: [] };

/** The pool that was asked for by name, else the first that fits. */
export function poolOf(wish: Wish, pools: readonly NodePool[]): NodePool {
  const named = pools.find((pool) => pool.name === wish.node);
  const forGpus = wish.limits.gpus > 0 ? pools.find((pool) => pool.gpus === true) : undefined;
  return named ?? forGpus ?? pools[0] ?? ANY_NODE;
}

/** Silence of a node ends nothing: the cluster would delete its pods after five minutes, Berth decides by itself. */
const UNTIL_BERTH_DECIDES: readonly V1Toleration[] = ['not-ready', 'unreachable'].map((condition) => ({
  key: `node.kubernetes.io/${condition}`,
  operator: 'Exists',
  effect: 'NoExecute',
}));

/** Where a pod may go. A single node is asked for by its name instead of a pool's. */
export function placementOf(wish: Wish, pools: readonly NodePool[]): Pick<V1PodSpec, 'nodeSelector' | 'tolerations' | 'priorityClassName'> {
  const pool = poolOf(wish, pools);
  const byNode = wish.node !== '' && wish.node !== pool.name;
  const nodeSelector = byNode ? { 'kubernetes.io/hostname': wish.node } : { ...pool.nodeSelector };
  return {
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    tolerations: [...UNTIL_BERTH_DECIDES, ...pool.tolerations],
    ...(pool.priorityClass === undefined ? {} : { priorityClassName: pool.priorityClass }),
  };
}
