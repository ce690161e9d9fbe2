import type { V1PodSpec, V1Toleration } from '@kubernetes/client-node';
import type { ContainerSpec } from '../runtime.ts';
import type { NodePool } from './options.ts';

type Wish = Pick<ContainerSpec, 'node' | 'architecture'> & { readonly limits: Pick<ContainerSpec['limits'], 'gpus'> };

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

/** The label that every node has, and its words. */
export const ARCHITECTURE = 'kubernetes.io/arch';
const LABELS: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', i686: '386' };

const architectureSelector = ({ architecture }: Wish): Record<string, string> =>
  architecture === undefined ? {} : { [ARCHITECTURE]: LABELS[architecture] ?? architecture };

/** Where a pod may go. A single node is asked for by its name instead of a pool's. */
export function placementOf(wish: Wish, pools: readonly NodePool[]): Pick<V1PodSpec, 'nodeSelector' | 'tolerations' | 'priorityClassName'> {
  const pool = poolOf(wish, pools);
  const byNode = wish.node !== '' && wish.node !== pool.name;
  const nodeSelector = { ...(byNode ? { 'kubernetes.io/hostname': wish.node } : pool.nodeSelector), ...architectureSelector(wish) };
  return {
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    tolerations: [...UNTIL_BERTH_DECIDES, ...pool.tolerations],
    ...(pool.priorityClass === undefined ? {} : { priorityClassName: pool.priorityClass }),
  };
}
