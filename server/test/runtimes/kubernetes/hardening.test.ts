import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dumpYaml, type V1Pod, type V1Secret } from '@kubernetes/client-node';
import { podName, secretName } from '../../../src/runtimes/kubernetes/names.ts';
import { logText, plainSpec } from '../../../src/runtimes/runtime-conformance.ts';
import type { ContainerRef } from '../../../src/runtimes/runtime.ts';
import { IMAGE, KUBECONFIG } from './cluster-bed.ts';
import { clusterBench, type ClusterBench } from './cluster-bench.ts';

const VALUE = 'only-the-session-knows';

/** All that tells of a confinement from inside, and the variable that was given. */
const LOOK = `
grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
id -u
ls /var/run/secrets/kubernetes.io 2>&1
env
`;

describe.skipIf(KUBECONFIG === undefined)('a pod of a session, read back from the API server', () => {
  let bench: ClusterBench;
  let ref: ContainerRef;
  let pod: V1Pod;
  beforeAll(async () => {
    bench = await clusterBench();
    const spec = plainSpec(IMAGE, { command: ['sh', '-c', LOOK], env: { WORD: VALUE } });
    ref = spec.ref;
    await bench.runtime.create(spec);
    await bench.runtime.start(ref);
    await vi.waitFor(async () => expect(await bench.runtime.inspect(ref)).toMatchObject({ phase: 'exited' }), { timeout: 60_000 });
    pod = await bench.core.readNamespacedPod({ name: podName(ref), namespace: bench.namespace });
  });
  afterAll(() => bench?.close());

  it('shows no value of a variable, and names the secret that has it', async () => {
    expect(dumpYaml(pod)).not.toContain(VALUE);
    expect(pod.spec?.containers[0]?.env).toContainEqual(
      expect.objectContaining({ name: 'WORD', valueFrom: { secretKeyRef: expect.objectContaining({ name: secretName(ref) }) } }),
    );
    expect(await logText(bench.runtime, ref, { follow: false })).toContain(`WORD=${VALUE}\n`);
  });

  it('has a secret that belongs to it alone', async () => {
    const secret: V1Secret = await bench.core.readNamespacedSecret({ name: secretName(ref), namespace: bench.namespace });
    expect(secret.metadata?.labels).toMatchObject({ 'berth.instance': bench.instance, 'berth.session': ref.sessionId });
    expect(Object.values(secret.data ?? {}).map((value) => Buffer.from(value, 'base64').toString())).toContain(VALUE);
  });

  it('keeps to the restricted standard', () => {
    expect(pod.spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const shared of ['hostNetwork', 'hostPID', 'hostIPC'] as const) expect(pod.spec?.[shared] ?? false).toBe(false);
    expect(pod.spec?.initContainers).toBeUndefined();
    expect(pod.spec?.containers).toHaveLength(1);
    const [main] = pod.spec?.containers ?? [];
    expect(main?.securityContext).toEqual({
      runAsNonRoot: true,
      privileged: false,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(main?.ports).toBeUndefined();
    expect(main?.resources?.limits).toMatchObject({ cpu: '500m', memory: String(128 * 2 ** 20) });
  });

  it('mounts memory of its own, its entries of users, and nothing of the node', () => {
    const kinds = (pod.spec?.volumes ?? []).map(({ name, ...source }) => [name, ...Object.keys(source)]);
    // Homes are gone with the pod here.
    expect(kinds).toEqual([
      ['berth', 'emptyDir'],
      ['shm', 'emptyDir'],
      ['user', 'secret'],
    ]);
    const mounts = pod.spec?.containers[0]?.volumeMounts ?? [];
    expect(mounts.map(({ mountPath }) => mountPath).toSorted()).toEqual(['/dev/shm', '/etc/group', '/etc/passwd', '/run/berth']);
  });

  it('has no capability inside, gains none, is filtered, and has no token', async () => {
    const seen = await logText(bench.runtime, ref, { follow: false });
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(seen).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'));
    expect(seen).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(seen).toMatch(/^Seccomp:\s+2$/m);
    expect(seen).toMatch(/^1000$/m);
    expect(seen).toMatch(/kubernetes\.io.*No such file/);
  });
});
