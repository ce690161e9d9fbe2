import { formatBytes } from '@berth/contract';
import type { V1Node, V1Pod, V1Taint, V1Toleration } from '@kubernetes/client-node';
import type { Waiting } from '../runtime.ts';
import { normalArchitecture } from '../../domain/images/architecture.ts';
import { ARCHITECTURE } from './pool.ts';
import { amountOf } from './quantity.ts';
import { schedulerReasons } from './scheduler-words.ts';

export type Reasons = Extract<Waiting, { for: 'room' }>['reasons'];

const HOST_NAME = 'kubernetes.io/hostname';

/** Why a pod that has no node yet fits on none; each reads well before "on n1". Without all nodes and pods: what the scheduler says. */
export function roomReasons(pod: V1Pod, known: { readonly nodes?: readonly V1Node[]; readonly pods?: readonly V1Pod[] }): Reasons {
  const said = refusalOf(pod);
  const { nodes, pods } = known;
  if (nodes === undefined || pods === undefined || nodes.length === 0) return schedulerReasons(said);
  const wanted = pod.spec?.nodeSelector?.[HOST_NAME];
  const candidates = wanted === undefined ? nodes : nodes.filter((node) => node.metadata?.labels?.[HOST_NAME] === wanted);
  if (wanted !== undefined && candidates.length === 0) return [{ node: 'this cluster', reason: `no node is called ${wanted}` }];
  const reasons = candidates.map((node) => ({ node: nameOf(node), reason: whyNot(pod, node, pods) }));
  const free = reasons.find(({ reason }) => reason === '');
  if (free === undefined) return reasons;
  if (said === '') return [{ node: free.node, reason: 'about to be placed' }];
  // The scheduler refuses a node that looks free to us: for something that we do not reckon with, or for what is over.
  const beyond = schedulerReasons(said, 'beyond-room');
  return beyond.length === 0 ? schedulerReasons(said) : [...reasons.filter(({ reason }) => reason !== ''), ...beyond];
}

/** The scheduler's sentence; empty before it looked. */
function refusalOf(pod: V1Pod): string {
  const placed = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return placed?.status === 'False' ? (placed.message ?? '') : '';
}

const nameOf = (node: V1Node): string => node.metadata?.name ?? '';

/** Empty: it would fit. */
function whyNot(pod: V1Pod, node: V1Node, pods: readonly V1Pod[]): string {
  return unwilling(node) ?? unsuited(pod, node) ?? shortages(pod, node, pods).join('; ');
}

/** It takes nothing from anybody. */
function unwilling(node: V1Node): string | undefined {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'Unknown') return 'no answer';
  if (ready?.status === 'False') return `the kubelet is not ready (${ready.message ?? 'it does not say why'})`;
  if (node.spec?.unschedulable === true) return 'no new containers are taken (cordoned)';
  return undefined;
}

function unsuited(pod: V1Pod, node: V1Node): string | undefined {
  const labels = node.metadata?.labels ?? {};
  const { [ARCHITECTURE]: wanted } = pod.spec?.nodeSelector ?? {};
  if (wanted !== undefined && labels[ARCHITECTURE] !== wanted) return otherMachine(node, wanted);
  const missing = Object.entries(pod.spec?.nodeSelector ?? {}).filter(([key, value]) => labels[key] !== value);
  if (missing.length > 0) return `the label ${missing.map((pair) => pair.join('=')).join(', ')} is missing`;
  const taint = (node.spec?.taints ?? []).find(
    (one) => one.effect !== 'PreferNoSchedule' && !isTolerated(one, pod.spec?.tolerations ?? []),
  );
  return taint === undefined ? undefined : (PRESSURE[taint.key] ?? `kept for others (taint ${taintText(taint)})`);
}

function otherMachine(node: V1Node, wanted: string): string {
  const is = normalArchitecture(node.status?.nodeInfo?.architecture ?? node.metadata?.labels?.[ARCHITECTURE] ?? '');
  return `${nameOf(node)} is ${is || 'of an unknown architecture'}, ${normalArchitecture(wanted)} was asked for`;
}

const PRESSURE: Readonly<Record<string, string>> = {
  'node.kubernetes.io/memory-pressure': 'memory is short',
  'node.kubernetes.io/disk-pressure': 'the disk is nearly full',
  'node.kubernetes.io/pid-pressure': 'process numbers are short',
  'node.kubernetes.io/network-unavailable': 'the network is not set up',
};

export const taintText = ({ key, value, effect }: V1Taint): string => `${key}${value ? `=${value}` : ''}:${effect}`;

function isTolerated(taint: V1Taint, tolerations: readonly V1Toleration[]): boolean {
  return tolerations.some(
    ({ key, operator, value, effect }) =>
      (!effect || effect === taint.effect) &&
      (!key ? operator === 'Exists' : key === taint.key) &&
      (operator === 'Exists' || (value ?? '') === (taint.value ?? '')),
  );
}

/** "needs 99 CPUs, 1.8 free of 2". */
function shortages(pod: V1Pod, node: V1Node, pods: readonly V1Pod[]): string[] {
  const here = pods.filter((other) => other.spec?.nodeName === nameOf(node) && !isOver(other));
  const held = here.map(requestsOf);
  const has = node.status?.allocatable ?? {};
  const short = [...requestsOf(pod)].flatMap(([resource, need]) => {
    const all = amountOf(has[resource]);
    const free = Math.max(all - held.reduce((sum, requests) => sum + (requests.get(resource) ?? 0), 0), 0);
    return need > free + 1e-9 ? [`needs ${amountText(resource, need)}, ${plain(resource, free)} free of ${plain(resource, all)}`] : [];
  });
  const places = amountOf(has['pods']);
  return places > 0 && here.length >= places ? [...short, `all ${places} places for pods are taken`] : short;
}

export const isOver = (pod: V1Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** What the scheduler counts: its containers together or its largest init container, and what the sandbox takes. */
export function requestsOf(pod: V1Pod): Map<string, number> {
  const total = new Map<string, number>();
  const each = (requests: Readonly<Record<string, string>> | undefined, merge: (sum: number, amount: number) => number): void => {
    for (const [resource, text] of Object.entries(requests ?? {})) total.set(resource, merge(total.get(resource) ?? 0, amountOf(text)));
  };
  const add = (sum: number, amount: number): number => sum + amount;
  for (const { resources } of pod.spec?.containers ?? []) each(resources?.requests, add);
  for (const { resources } of pod.spec?.initContainers ?? []) each(resources?.requests, Math.max);
  each(pod.spec?.overhead, add);
  return total;
}

export function amountText(resource: string, amount: number): string {
  if (resource === 'cpu') return `${plain(resource, amount)} ${amount === 1 ? 'CPU' : 'CPUs'}`;
  if (resource === 'memory') return `${formatBytes(amount)} of memory`;
  if (resource === 'ephemeral-storage') return `${formatBytes(amount)} of disk`;
  if (resource.endsWith('/gpu')) return `${amount} ${amount === 1 ? 'GPU' : 'GPUs'}`;
  return `${amount} ${resource}`;
}

const plain = (resource: string, amount: number): string =>
  resource === 'memory' || resource === 'ephemeral-storage' ? formatBytes(amount) : String(Math.round(amount * 1000) / 1000);
