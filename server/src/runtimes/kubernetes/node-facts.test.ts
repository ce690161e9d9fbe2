import type { V1Node } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { nodeFacts } from './node-facts.ts';

const since = new Date('2026-11-20T10:23:49Z');
const options = { gpuResource: 'nvidia.com/gpu', instance: 'i' };

function node({
  spec = {},
  conditions = [],
  allocatable = {},
}: {
  spec?: V1Node['spec'];
  conditions?: { type: string; status: string; message?: string }[];
  allocatable?: Record<string, string>;
}): V1Node {
  return {
    metadata: { name: 'n1', creationTimestamp: new Date('2026-11-20T10:21:15Z') },
    spec,
    status: {
      allocatable: { cpu: '1930m', memory: '24581692Ki', pods: '110', ...allocatable },
      capacity: { cpu: '2', memory: '24684092Ki' },
      conditions: [{ type: 'MemoryPressure', status: 'False' }, { type: 'Ready', status: 'True' }, ...conditions].map((condition) => ({
        lastTransitionTime: since,
        ...condition,
      })),
      nodeInfo: {
        kubeletVersion: 'v1.20.2',
        containerRuntimeVersion: 'containerd://1.6.20',
        architecture: 'amd64',
        bootID: '',
        kernelVersion: '',
        kubeProxyVersion: '',
        machineID: '',
        operatingSystem: 'linux',
        osImage: '',
        systemUUID: '',
      },
    },
  };
}

it('a node has what it may give away', () => {
  expect(nodeFacts([node({ allocatable: { 'nvidia.com/gpu': '2' } })], options)).toEqual([
    {
      name: 'n1',
      engine: 'Kubernetes v1.20.2, containerd://1.6.20',
      cpu: 1.93,
      memoryBytes: 24_581_692 * 1024,
      devices: ['n1/gpu0', 'n1/gpu1'],
      architecture: 'x86_64',
      notices: [],
    },
  ]);
});

it('what pods have asked for is not free, whoever made them', () => {
  const asking = (nodeName: string, requests: Record<string, string>, phase = 'Running') => ({
    metadata: {},
    spec: { nodeName, containers: [{ name: 'c', resources: { requests } }] },
    status: { phase },
  });
  const pods = [asking('n1', { cpu: '500m', memory: '1Gi' }), asking('n2', { cpu: '1' }), asking('n1', { cpu: '1' }, 'Succeeded')];
  const [facts] = nodeFacts([node({ allocatable: { 'nvidia.com/gpu': '2' } })], { ...options, pods });
  expect(facts?.free).toEqual({ cpu: 1.43, memoryBytes: 24_581_692 * 1024 - 2 ** 30, gpus: 2 });
});

describe('a node takes nothing', () => {
  const cordoned = { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: since }] };
  it.each<[string, Parameters<typeof node>[0]]>([
    ['cordoned: it takes no new containers', { spec: cordoned }],
    ['its kubelet does not answer', { conditions: [{ type: 'Ready', status: 'Unknown' }] }],
    [
      'its kubelet is not ready: container runtime is down',
      { conditions: [{ type: 'Ready', status: 'False', message: 'container runtime is down' }] },
    ],
    ['its disk is nearly full', { conditions: [{ type: 'DiskPressure', status: 'True' }] }],
    ['it is short of memory', { conditions: [{ type: 'MemoryPressure', status: 'True' }] }],
  ])('%s', (reason, sketch) => {
    expect(nodeFacts([node(sketch)], options)[0]?.unavailable).toEqual({ since, reason });
  });

  it('since it is known, where nobody wrote down the time', () => {
    expect(nodeFacts([node({ spec: { unschedulable: true } })], options)[0]?.unavailable?.since).toEqual(new Date('2026-11-20T10:21:15Z'));
  });
});

describe('a node has notices', () => {
  it('of its taints, but for those that Kubernetes sets by itself', () => {
    const taints = [
      { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
      { key: 'slow', effect: 'PreferNoSchedule' },
    ];
    expect(nodeFacts([node({ spec: { taints } })], options)[0]?.notices).toEqual([
      'takes only sessions whose pool tolerates its taint dedicated=gpu:NoSchedule',
    ]);
  });

  it('of what others hold', () => {
    const pod = (instance: string, phase = 'Running') => ({
      metadata: { labels: { 'berth.instance': instance } },
      spec: { nodeName: 'n1', containers: [{ name: 'c', resources: { requests: { cpu: '250m', memory: '100Mi' } } }] },
      status: { phase },
    });
    const pods = [pod('i'), pod('other'), pod('other'), pod('other', 'Succeeded')];
    expect(nodeFacts([node({})], { ...options, pods })[0]?.notices).toEqual(['pods outside Berth hold 0.5 CPUs and 200MiB of memory']);
  });
});
