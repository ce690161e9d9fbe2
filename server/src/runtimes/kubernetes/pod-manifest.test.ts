import { describe, expect, it } from 'vitest';
import { plainSpec } from '../runtime-conformance.ts';
import type { ContainerSpec } from '../runtime.ts';
import { LOGIN_SHELL } from '../login-shell.ts';
import { programIn } from './gate.ts';
import { podManifest, ungated } from './pod-manifest.ts';

const options = { instance: 'here', namespace: 'sessions', storage: { kind: 'none' }, gpuResource: 'nvidia.com/gpu', pools: [] } as const;
const podOf = (changes: Partial<ContainerSpec> = {}, more: object = {}) =>
  podManifest(plainSpec('image', changes), { ...options, ...more });
const mainOf = (pod: ReturnType<typeof podManifest>) => {
  const [main, ...others] = pod.spec?.containers ?? [];
  if (main === undefined) throw new Error('a pod has a container');
  expect(others).toEqual([]);
  return main;
};
const limits = (changes: Partial<ContainerSpec['limits']>) => ({ limits: { ...plainSpec('image').limits, ...changes } });

describe('the restricted pod security standard, field by field', () => {
  const pod = podOf({ tty: true, stdin: 'open', mounts: [{ storage: { name: 's', uid: 1, gid: 1 }, target: '/s', readOnly: false }] });
  const context = mainOf(pod).securityContext;

  it.each([
    ['runs as a user of its own, in pod and container', [pod.spec?.securityContext?.runAsNonRoot, context?.runAsNonRoot], [true, true]],
    ['as the owner', [pod.spec?.securityContext?.runAsUser, pod.spec?.securityContext?.runAsGroup], [1000, 1000]],
    ['whose group has the volumes', pod.spec?.securityContext?.fsGroup, 1000],
    ['gains no privileges', [context?.privileged, context?.allowPrivilegeEscalation], [false, false]],
    ['has no capability', context?.capabilities, { drop: ['ALL'] }],
    [
      'is confined by seccomp',
      [pod.spec?.securityContext?.seccompProfile, context?.seccompProfile],
      [{ type: 'RuntimeDefault' }, { type: 'RuntimeDefault' }],
    ],
    ['shares nothing with the host', [pod.spec?.hostNetwork, pod.spec?.hostPID, pod.spec?.hostIPC], [undefined, undefined, undefined]],
    ['has no port of the host', mainOf(pod).ports, undefined],
    ['sets no kernel parameter', pod.spec?.securityContext?.sysctls, undefined],
    ['knows no key of the cluster', pod.spec?.automountServiceAccountToken, false],
    ['hears of no other service', pod.spec?.enableServiceLinks, false],
    ['is never started again', pod.spec?.restartPolicy, 'Never'],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual(expected);
  });

  it('mounts volumes of the allowed kinds only', () => {
    for (const { name: _, ...volume } of pod.spec?.volumes ?? [])
      expect(['emptyDir', 'secret', 'persistentVolumeClaim']).toEqual(expect.arrayContaining(Object.keys(volume)));
  });
});

describe('where a pod goes', () => {
  it('is beside another container of its session, where that was asked for', () => {
    const sessionId = plainSpec('image').ref.sessionId;
    const main = { sessionId, generation: 2, container: 'main1' };
    const { affinity } = podOf({ ref: { ...main, container: 'sub1' }, beside: main }).spec ?? {};
    expect(affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual([
      {
        topologyKey: 'kubernetes.io/hostname',
        labelSelector: {
          matchLabels: { 'berth.instance': 'here', 'berth.session': sessionId, 'berth.generation': '2', 'berth.container': 'main1' },
        },
      },
    ]);
    expect(podOf().spec?.affinity).toBeUndefined();
  });
});

describe('what a pod tells', () => {
  it('is no value of a variable', () => {
    expect(JSON.stringify(podOf({ env: { TOKEN: 's3cret', HOME: 's3cret' } }))).not.toContain('s3cret');
  });

  it('is each variable once, the GPUs as they were assigned, the rest as was wished', () => {
    const env = mainOf(podOf({ env: { HOME: '/elsewhere', NVIDIA_VISIBLE_DEVICES: 'all' }, tty: true })).env ?? [];
    expect(new Set(env.map(({ name }) => name)).size).toBe(env.length);
    const byName = Object.fromEntries(env.map((variable) => [variable.name, variable]));
    expect(byName['HOME']?.valueFrom).toBeDefined();
    expect(byName['NVIDIA_VISIBLE_DEVICES']?.value).toBe('void');
    expect(byName['TERM']?.value).toBe('xterm-256color');
  });

  it('is whom it belongs to, in labels that are legal and as it was written', () => {
    const { labels, annotations } = podOf({ owner: 'ada', project: 'Größe (1)' }).metadata ?? {};
    expect(labels).toMatchObject({ 'berth.instance': 'here', 'berth.owner': 'ada', 'berth.project': 'Gr-e-1' });
    expect(annotations).toMatchObject({ 'berth.project-name': 'Größe (1)' });
  });
});

describe('resources', () => {
  it('are kept free for a reserved session', () => {
    const { resources } = mainOf(podOf(limits({ cpus: 0.25, memoryBytes: 2 ** 30 })));
    expect(resources).toEqual({ limits: { cpu: '250m', memory: '1073741824' }, requests: { cpu: '250m', memory: '1073741824' } });
  });

  it('are hardly asked for by an unreserved one, which has the same ceiling', () => {
    const { resources } = mainOf(podOf({ reserved: false, ...limits({ cpus: 2, memoryBytes: 2 ** 30 }) }));
    expect(resources).toEqual({ limits: { cpu: '2000m', memory: '1073741824' }, requests: { cpu: '10m', memory: '16777216' } });
  });

  it('are asked for as far as they were reserved', () => {
    const { resources } = mainOf(
      podOf({ reserved: true, reserves: { cpus: 1, memoryBytes: 0 }, ...limits({ cpus: 1, memoryBytes: 1024 ** 3 }) }),
    );
    expect(resources?.requests).toEqual({ cpu: '1000m', memory: '16777216' });
  });

  it('are GPUs by the name that the cluster has for them, chosen by the cluster', () => {
    const main = mainOf(podOf(limits({ gpus: 2 }), { gpuResource: 'amd.com/gpu' }));
    expect(main.resources?.limits).toMatchObject({ 'amd.com/gpu': '2' });
    expect(main.resources?.requests).toMatchObject({ 'amd.com/gpu': '2' });
    expect(main.env?.some(({ name }) => name === 'NVIDIA_VISIBLE_DEVICES')).toBe(false);
  });

  it('are as much shared memory as was asked for', () => {
    const shm = podOf(limits({ sharedMemoryBytes: 2 ** 26 })).spec?.volumes?.find(({ name }) => name === 'shm');
    expect(shm?.emptyDir).toEqual({ medium: 'Memory', sizeLimit: '67108864' });
  });
});

describe('what a container runs', () => {
  it('waits at its gate', () => {
    const main = mainOf(podOf({ command: ['python', '-c', 'print("$(HOME) $$")'] }));
    expect(main.command?.slice(0, 2)).toEqual(['/bin/sh', '-c']);
    expect(main.args).toEqual(['python', '-c', 'print("$$(HOME) $$$$")']);
    expect(programIn(main)).toEqual(['python', '-c', 'print("$(HOME) $$")']);
  });

  it('is a login shell where nobody gave a command, which the pod says', () => {
    const pod = podOf({ command: [], tty: true, stdin: 'open' });
    expect(programIn(mainOf(pod))).toEqual(LOGIN_SHELL);
    expect(pod.metadata?.annotations).toMatchObject({ 'berth.command': 'login-shell' });
  });

  it("is the image's own entrypoint where that is kept, without a gate", () => {
    const pod = podOf({ keepEntrypoint: true, command: ['--port', '$PORT'] });
    expect(mainOf(pod)).not.toHaveProperty('command');
    expect(mainOf(pod).args).toEqual(['--port', '$$PORT']);
    expect(pod.metadata?.annotations).toMatchObject({ 'berth.gate': 'none' });
    expect(mainOf(podOf({ keepEntrypoint: true, command: [] }))).not.toHaveProperty('args');
  });

  it('is ready once its port answers, where it has one', () => {
    expect(mainOf(podOf({ port: 8888 })).readinessProbe).toMatchObject({ tcpSocket: { port: 8888 }, periodSeconds: 1 });
    expect(mainOf(podOf())).not.toHaveProperty('readinessProbe');
  });

  it('comes after its bootstrap script, which only the secret tells, and whose end the kubelet watches for', () => {
    const pod = podOf({ bootstrapScript: 'echo s3cret', port: 8888 });
    expect(JSON.stringify(pod)).not.toContain('s3cret');
    const main = mainOf(pod);
    expect(main.volumeMounts).toContainEqual({ name: 'bootstrap', mountPath: '/run/berth-bootstrap', readOnly: true });
    expect(pod.spec?.volumes).toContainEqual({
      name: 'bootstrap',
      secret: { secretName: pod.metadata?.name, defaultMode: 0o555, items: [{ key: 'bootstrap', path: 'script' }] },
    });
    expect(main.startupProbe).toMatchObject({ exec: { command: ['/bin/sh', '-c', '[ -e /run/berth/bootstrapped ]'] }, periodSeconds: 1 });
    expect(mainOf(podOf())).not.toHaveProperty('startupProbe');
  });

  it('runs at once, where its image has no shell', () => {
    const gated = podOf({ command: ['server', '$x'], stdin: 'once' });
    expect(gated.metadata?.annotations).toMatchObject({ 'berth.stdin': 'framed' });
    const stored = structuredClone(gated);
    Object.assign(stored, { status: {} });
    Object.assign(stored.metadata ?? {}, { uid: 'x', resourceVersion: '7' });
    Object.assign(stored.spec ?? {}, { nodeName: 'n1', activeDeadlineSeconds: 1 });
    const pod = ungated(stored);
    expect(mainOf(pod).command).toEqual(['server', '$$x']);
    expect(mainOf(pod)).not.toHaveProperty('args');
    expect(programIn(mainOf(pod))).toEqual(['server', '$x']);
    expect(pod.metadata).toEqual({
      name: gated.metadata?.name,
      namespace: 'sessions',
      labels: gated.metadata?.labels,
      annotations: { 'berth.owner-name': 'owner-id', 'berth.project-name': 'project-id', 'berth.egress': 'open', 'berth.gate': 'none' },
    });
    expect(pod).not.toHaveProperty('status');
    expect(pod.spec).not.toHaveProperty('nodeName');
    expect(pod.spec).not.toHaveProperty('activeDeadlineSeconds');
  });

  it.each([
    ['closed', false, { stdin: false, stdinOnce: false }, undefined],
    ['open', false, { stdin: true, stdinOnce: false }, undefined],
    ['once', false, { stdin: true, stdinOnce: true }, 'framed'],
    ['once', true, { stdin: true, stdinOnce: true }, undefined],
  ] as const)('takes input that is %s (terminal: %s)', (stdin, tty, fields, framed) => {
    const pod = podOf({ stdin, tty });
    expect(mainOf(pod)).toMatchObject({ ...fields, tty });
    expect(pod.metadata?.annotations?.['berth.stdin']).toBe(framed);
  });

  it('hears that its terminal hangs up, whoever ends the pod', () => {
    expect(mainOf(podOf({ tty: true })).lifecycle?.preStop?.exec?.command?.at(-1)).toContain('HUP');
    expect(mainOf(podOf()).lifecycle).toBeUndefined();
  });

  it.each([
    ['always', 'Always'],
    ['missing', 'IfNotPresent'],
    ['never', 'Never'],
  ] as const)('comes from an image that is pulled: %s', (pull, policy) => {
    expect(mainOf(podOf({ pull })).imagePullPolicy).toBe(policy);
  });

  it('begins in the wished folder, or at home', () => {
    expect(mainOf(podOf({ workDir: '/work' })).workingDir).toBe('/work');
    expect(mainOf(podOf({ workDir: null })).workingDir).toBe('/home/ada');
  });
});
