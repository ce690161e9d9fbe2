import type { V1Node, V1NodeCondition, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { roomReasons } from './room.ts';

const node = (
  name: string,
  {
    spec = {},
    ready = 'True',
    ...rest
  }: {
    spec?: V1Node['spec'];
    ready?: V1NodeCondition['status'];
    labels?: Record<string, string>;
    allocatable?: Record<string, string>;
  } = {},
): V1Node => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...rest.labels } },
  spec,
  status: {
    allocatable: { cpu: '2', memory: '24581692Ki', pods: '110', ...rest.allocatable },
    conditions: [{ type: 'Ready', status: ready, message: 'container runtime is down' }],
  },
});

function pod(requests: Record<string, string>, { said, ...spec }: Partial<V1PodSpec> & { said?: string } = {}): V1Pod {
  return {
    metadata: { name: 'new' },
    spec: { containers: [{ name: 'main', resources: { requests } }], ...spec },
    status: {
      phase: 'Pending',
      ...(said !== undefined && { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: said }] }),
    },
  };
}

const placed = (nodeName: string, requests: Record<string, string>, phase = 'Running'): V1Pod => ({
  spec: { nodeName, containers: [{ name: 'main', resources: { requests } }] },
  status: { phase },
});

const why = (wanting: V1Pod, nodes: readonly V1Node[], pods: readonly V1Pod[] = []): string[] =>
  roomReasons(wanting, { nodes, pods }).map((reason) => `${reason.reason} on ${reason.node}`);

describe('why a pod has no place yet, from nodes and pods', () => {
  const REFUSED = { said: '0/1 nodes are available: 1 Insufficient cpu.' };
  const cordoned = { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] };
  const dedicated = { taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }] };
  const disk = { taints: [{ key: 'node.kubernetes.io/disk-pressure', effect: 'NoSchedule' }] };

  it.each<[string, V1Pod, V1Node[], V1Pod[], string[]]>([
    [
      'more CPUs than there are',
      pod({ cpu: '99' }, REFUSED),
      [node('n1')],
      [placed('n1', { cpu: '200m' })],
      ['needs 99 CPUs, 1.8 free of 2 on n1'],
    ],
    ['one CPU of none', pod({ cpu: '1' }, REFUSED), [node('n1')], [placed('n1', { cpu: '2500m' })], ['needs 1 CPU, 0 free of 2 on n1']],
    [
      'what is short on each node',
      pod({ cpu: '1', memory: '20Gi' }, REFUSED),
      [node('n1'), node('n2')],
      [placed('n1', { cpu: '1500m', memory: '8Gi' }), placed('n2', { memory: '23Gi' }), placed('n2', { cpu: '2' }, 'Succeeded')],
      [
        'needs 1 CPU, 0.5 free of 2; needs 20GiB of memory, 15.4GiB free of 23.4GiB on n1',
        'needs 20GiB of memory, 453.6MiB free of 23.4GiB on n2',
      ],
    ],
    [
      'GPUs',
      pod({ 'nvidia.com/gpu': '2' }, REFUSED),
      [node('n1', { allocatable: { 'nvidia.com/gpu': '4' } }), node('n2')],
      [placed('n1', { 'nvidia.com/gpu': '3' })],
      ['needs 2 GPUs, 1 free of 4 on n1', 'needs 2 GPUs, 0 free of 0 on n2'],
    ],
    ['anything else', pod({ 'example.com/fpga': '1' }, REFUSED), [node('n1')], [], ['needs 1 example.com/fpga, 0 free of 0 on n1']],
    [
      'one more pod',
      pod({}, REFUSED),
      [node('n1', { allocatable: { pods: '1' } })],
      [placed('n1', {})],
      ['all 1 places for pods are taken on n1'],
    ],
    [
      'a label',
      pod({}, { ...REFUSED, nodeSelector: { pool: 'gold' } }),
      [node('n1', { labels: { pool: 'tin' } })],
      [],
      ['the label pool=gold is missing on n1'],
    ],
    ['a toleration', pod({}, REFUSED), [node('n1', { spec: dedicated })], [], ['kept for others (taint dedicated=gpu:NoSchedule) on n1']],
    [
      'a node that is not cordoned',
      pod({}, REFUSED),
      [node('n1', { spec: cordoned })],
      [],
      ['no new containers are taken (cordoned) on n1'],
    ],
    ['a node that answers', pod({}, REFUSED), [node('n1', { ready: 'Unknown' })], [], ['no answer on n1']],
    [
      'a node that is ready',
      pod({}, REFUSED),
      [node('n1', { ready: 'False' })],
      [],
      ['the kubelet is not ready (container runtime is down) on n1'],
    ],
    ['a node with some disk left', pod({}, REFUSED), [node('n1', { spec: disk })], [], ['the disk is nearly full on n1']],
    [
      'another kind of machine',
      pod({ cpu: '3' }, { ...REFUSED, nodeSelector: { 'kubernetes.io/arch': 'arm64' } }),
      [node('n1', { labels: { 'kubernetes.io/arch': 'amd64' } }), node('n2', { labels: { 'kubernetes.io/arch': 'arm64' } })],
      [],
      ['n1 is x86_64, aarch64 was asked for on n1', 'needs 3 CPUs, 2 free of 2 on n2'],
    ],
    [
      'the one node it is bound to',
      pod({ cpu: '3' }, { ...REFUSED, nodeSelector: { 'kubernetes.io/hostname': 'n1' } }),
      [node('n1'), node('n2')],
      [],
      ['needs 3 CPUs, 2 free of 2 on n1'],
    ],
    [
      'a node that is not there',
      pod({}, { ...REFUSED, nodeSelector: { 'kubernetes.io/hostname': 'n9' } }),
      [node('n1')],
      [],
      ['no node is called n9 on this cluster'],
    ],
    ['nothing but a moment', pod({ cpu: '1' }), [node('n1', { spec: cordoned }), node('n2')], [], ['about to be placed on n2']],
    [
      'what only the scheduler knows',
      pod({}, { said: '0/2 nodes are available: 1 node(s) had volume node affinity conflict, 1 node(s) were unschedulable.' }),
      [node('n1'), node('n2', { spec: cordoned })],
      [],
      ['no new containers are taken (cordoned) on n2', 'its storage cannot be reached on 1 node'],
    ],
    ['what has just become free', pod({ cpu: '1' }, REFUSED), [node('n1')], [], ['too few CPUs are free on 1 node']],
  ])('it needs %s', (...[, wanting, nodes, pods, reasons]) => {
    expect(why(wanting, nodes, pods)).toEqual(reasons);
  });

  it('a taint is tolerated by key and value, by key, or all are', () => {
    const tolerant = (toleration: NonNullable<V1PodSpec['tolerations']>[number]): string[] =>
      why(pod({}, { tolerations: [toleration] }), [node('n1', { spec: dedicated })]);
    const fits = ['about to be placed on n1'];
    expect(tolerant({ key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' })).toEqual(fits);
    expect(tolerant({ key: 'dedicated', value: 'gpu' })).toEqual(fits);
    expect(tolerant({ key: 'dedicated', operator: 'Exists' })).toEqual(fits);
    expect(tolerant({ operator: 'Exists' })).toEqual(fits);
    expect(tolerant({ key: 'dedicated', value: 'cpu' })).not.toEqual(fits);
    expect(tolerant({ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' })).not.toEqual(fits);
  });

  it('the largest init container and what the sandbox takes count too', () => {
    const requests = (cpu: string): { name: string; resources: { requests: Record<string, string> } } => ({
      name: 'c',
      resources: { requests: { cpu } },
    });
    const wanting = pod(
      {},
      { ...REFUSED, containers: [requests('1'), requests('500m')], initContainers: [requests('2')], overhead: { cpu: '250m' } },
    );
    expect(why(wanting, [node('n1')])).toEqual(['needs 2.25 CPUs, 2 free of 2 on n1']);
  });
});

describe("where pods may not be listed, the scheduler's sentence in words", () => {
  it.each<[string, string[]]>([
    ['0/2 nodes are available: 2 Insufficient cpu.', ['too few CPUs are free on 2 nodes']],
    [
      "0/3 nodes are available: 1 Insufficient memory, 1 node(s) had taint {dedicated: gpu}, that the pod didn't tolerate, 1 node(s) were unschedulable.",
      [
        'too little memory is free on 1 node',
        'kept for others (taint dedicated=gpu) on 1 node',
        'no new containers are taken (cordoned) on 1 node',
      ],
    ],
    [
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had taint {node.kubernetes.io/unreachable: }, that the pod didn't tolerate.",
      ['too few CPUs are free on 1 node', 'no answer on 1 node'],
    ],
    ["0/2 nodes are available: 2 node(s) didn't match Pod's node affinity.", ['a label asked for is missing on 2 nodes']],
    ["0/2 nodes are available: 1 node(s) didn't match pod affinity rules.", ['its other containers are elsewhere on 1 node']],
    ['0/2 nodes are available: 2 Insufficient nvidia.com/gpu.', ['too few GPUs are free on 2 nodes']],
    ['0/2 nodes are available: 2 persistentvolumeclaim "home" not found.', ['its storage (claim home) does not exist on 2 nodes']],
    [
      '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 No preemption victims found.',
      ['its storage is not made yet on any node'],
    ],
    ['0/1 nodes are available: 1 node(s) had a bad day.', ['the scheduler says "node(s) had a bad day" on 1 node']],
    ['the cache is confused', ['the scheduler says "the cache is confused" on any node']],
  ])('%s', (said, reasons) => {
    expect(roomReasons(pod({}, { said }), { nodes: [node('n1')] }).map((reason) => `${reason.reason} on ${reason.node}`)).toEqual(reasons);
  });

  it('it has said nothing yet', () => {
    expect(roomReasons(pod({}), {})).toEqual([]);
  });
});
