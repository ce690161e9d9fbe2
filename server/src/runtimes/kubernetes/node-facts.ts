import type { V1Node, V1NodeCondition, V1Pod } from '@kubernetes/client-node';
import { normalArchitecture } from '../../domain/images/architecture.ts';
import type { NodeFacts } from '../runtime.ts';
import { instant } from './instant.ts';
import { LABEL } from './names.ts';
import { amountOf } from './quantity.ts';
import { amountText, isOver, requestsOf, taintText } from './room.ts';

/** What a cluster's nodes have for containers. `pods`: all of the cluster's, where they may be listed. */
export function nodeFacts(
  nodes: readonly V1Node[],
  options: { readonly gpuResource: string; readonly instance: string; readonly pods?: readonly V1Pod[] },
): readonly NodeFacts[] {
  return nodes.map((node) => {
    const name = node.metadata?.name ?? '';
    const { allocatable = {}, nodeInfo } = node.status ?? {};
    const unavailable = unavailability(node);
    return {
      name,
      engine: `Kubernetes ${nodeInfo?.kubeletVersion ?? 'of an unknown version'}, ${nodeInfo?.containerRuntimeVersion ?? 'unknown runtime'}`,
      cpu: amountOf(allocatable['cpu']),
      memoryBytes: amountOf(allocatable['memory']),
      architecture: normalArchitecture(nodeInfo?.architecture ?? ''),
      devices: Array.from({ length: amountOf(allocatable[options.gpuResource]) }, (_, index) => `${name}/gpu${index}`),
      ...(options.pods && { free: freeOf(node, { pods: options.pods, gpuResource: options.gpuResource }) }),
      notices: [...taintNotices(node), ...othersNotice(node, options)],
      ...(unavailable && { unavailable }),
    };
  });
}

/** As the scheduler counts it: what no pod has asked for. */
function freeOf(
  node: V1Node,
  { pods, gpuResource }: { readonly pods: readonly V1Pod[]; readonly gpuResource: string },
): NonNullable<NodeFacts['free']> {
  const here = pods.filter((pod) => pod.spec?.nodeName === node.metadata?.name && !isOver(pod)).map(requestsOf);
  const free = (resource: string): number => {
    const held = here.reduce((sum, requests) => sum + (requests.get(resource) ?? 0), 0);
    return Math.max(Math.round((amountOf(node.status?.allocatable?.[resource]) - held) * 1000) / 1000, 0);
  };
  return { cpu: free('cpu'), memoryBytes: free('memory'), gpus: free(gpuResource) };
}

function unavailability(node: V1Node): NodeFacts['unavailable'] {
  const conditions = node.status?.conditions ?? [];
  for (const condition of conditions) {
    const reason = troubleOf(condition);
    if (reason !== undefined) return { since: instant(condition.lastTransitionTime) ?? bornAt(node), reason };
  }
  if (node.spec?.unschedulable !== true) return undefined;
  const since = node.spec.taints?.find(({ key }) => key === 'node.kubernetes.io/unschedulable')?.timeAdded;
  return { since: instant(since) ?? bornAt(node), reason: 'cordoned: it takes no new containers' };
}

const bornAt = (node: V1Node): Date => instant(node.metadata?.creationTimestamp) ?? new Date(0);

function troubleOf({ type, status, message }: V1NodeCondition): string | undefined {
  if (type === 'Ready') {
    if (status === 'Unknown') return 'its kubelet does not answer';
    return status === 'False' ? `its kubelet is not ready: ${message ?? 'it does not say why'}` : undefined;
  }
  return status === 'True' ? TROUBLES[type] : undefined;
}
const TROUBLES: Readonly<Record<string, string>> = {
  MemoryPressure: 'it is short of memory',
  DiskPressure: 'its disk is nearly full',
  PIDPressure: 'it is short of process numbers',
  NetworkUnavailable: 'its network is not set up',
};

/** Those that Kubernetes sets itself are told otherwise. */
const taintNotices = (node: V1Node): string[] =>
  (node.spec?.taints ?? [])
    .filter(({ key, effect }) => effect !== 'PreferNoSchedule' && !key.startsWith('node.kubernetes.io/'))
    .map((taint) => `takes only sessions whose pool tolerates its taint ${taintText(taint)}`);

function othersNotice(node: V1Node, { pods = [], instance }: { readonly pods?: readonly V1Pod[]; readonly instance: string }): string[] {
  const others = pods.filter(
    (pod) => pod.spec?.nodeName === node.metadata?.name && !isOver(pod) && pod.metadata?.labels?.[LABEL.instance] !== instance,
  );
  const held = ['cpu', 'memory'].flatMap((resource) => {
    const amount = others.reduce((sum, pod) => sum + (requestsOf(pod).get(resource) ?? 0), 0);
    return amount > 0 ? [amountText(resource, amount)] : [];
  });
  return held.length === 0 ? [] : [`pods outside Berth hold ${held.join(' and ')}`];
}
