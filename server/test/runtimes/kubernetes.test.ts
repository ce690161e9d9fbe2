import { describe } from 'vitest';
import { describeRuntime } from '../../src/runtimes/runtime-conformance.ts';
import { clusterBench } from './kubernetes/cluster-bench.ts';
import { KUBECONFIG } from './kubernetes/cluster-bed.ts';

describe.skipIf(KUBECONFIG === undefined)('Kubernetes', () => {
  describeRuntime('Kubernetes', () => clusterBench());
});
