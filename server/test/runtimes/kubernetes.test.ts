import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { storageSource } from '../../src/cluster-settings.ts';
import { describeRuntime } from '../../src/runtimes/runtime-conformance.ts';
import { clusterBench } from './kubernetes/cluster-bench.ts';
import { KUBECONFIG } from './kubernetes/cluster-bed.ts';

describe.skipIf(KUBECONFIG === undefined)('Kubernetes', () => {
  describeRuntime('Kubernetes', async () => {
    // The nodes of the test cluster see this machine's folders.
    const folder = await mkdtemp(join(tmpdir(), 'berth-storages-'));
    await chmod(folder, 0o1777);
    const storage = storageSource.parse(process.env['BERTH_TEST_CLUSTER_STORAGE'] ?? `host-path:${folder}`);
    const bench = await clusterBench({ storage });
    return {
      ...bench,
      async close() {
        await bench.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  });
});
