import type { V1Container, V1EnvVar, V1Pod, V1PodSpec, V1Probe, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { ContainerSpec, ImageRequest } from '../runtime.ts';
import {
  BERTH_FOLDER,
  BOOTSTRAP,
  escaped,
  gatedLaunch,
  HANG_UP,
  IS_BOOTSTRAPPED,
  isFramed,
  isGated,
  plainLaunch,
  withoutGate,
} from './gate.ts';
import { ANNOTATION, labelsOf, labelsOfRef, MAIN, podName, secretName } from './names.ts';
import type { KubernetesOptions } from './options.ts';
import { placementOf } from './pool.ts';
import { SECRET_FILES, SECRET_SCRIPT, secretEnvironment } from './secret-manifest.ts';
import { namesInPod } from './service-manifest.ts';
import { storageVolumes } from './storages.ts';

type Options = Pick<KubernetesOptions, 'instance' | 'namespace' | 'storage' | 'gpuResource' | 'pools' | 'clusterDomain'>;

/** The one place that decides how a session's container is confined: the "restricted" pod security standard, and more. */
export function podManifest(spec: ContainerSpec, options: Options): V1Pod {
  const { uid, gid } = spec.user;
  const storages = storageVolumes(spec.mounts, options);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(spec.ref),
      namespace: options.namespace,
      labels: labelsOf(spec, options.instance),
      annotations: annotationsOf(spec),
    },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: Math.max(1, Math.ceil(spec.stopGraceSeconds)),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // The process is not the first of its pod: signals do to it what they do anywhere, and the dead are buried.
      shareProcessNamespace: true,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: uid,
        runAsGroup: gid,
        fsGroup: gid,
        // Not every file of a large storage is looked at whenever it is mounted.
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...namesInPod(spec, options),
      ...placementOf(spec, options.pools),
      ...placeBeside(spec, options),
      containers: [containerOf(spec, { gpuResource: options.gpuResource, storageMounts: storages.volumeMounts })],
      volumes: [...ownVolumes(spec), ...storages.volumes],
    },
  };
}

function containerOf(spec: ContainerSpec, settings: { gpuResource: string; storageMounts: V1VolumeMount[] }): V1Container {
  return {
    name: MAIN,
    image: spec.imageDigest,
    imagePullPolicy: PULL_POLICY[spec.pull],
    ...(isGated(spec) ? gatedLaunch(spec) : plainLaunch(spec)),
    workingDir: spec.workDir ?? spec.user.home,
    env: environmentOf(spec),
    tty: spec.tty,
    stdin: spec.stdin !== 'closed',
    stdinOnce: spec.stdin === 'once',
    ...(spec.tty && { lifecycle: { preStop: { exec: { command: [...HANG_UP] } } } }),
    // Not to start it: so that everybody sees whether its port answers, and a server that is outside need not try.
    ...(spec.port !== null && { readinessProbe: { tcpSocket: { port: spec.port }, periodSeconds: 1, failureThreshold: 1 } }),
    // The kubelet watches for the end of the bootstrap script, and tells it with the pod.
    ...(spec.bootstrapScript !== undefined && { startupProbe: UNTIL_BOOTSTRAPPED }),
    resources: resourcesOf(spec, settings.gpuResource),
    securityContext: {
      runAsNonRoot: true,
      privileged: false,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: 'berth', mountPath: BERTH_FOLDER },
      { name: 'shm', mountPath: '/dev/shm' },
      ...SECRET_FILES.map((file) => ({ name: 'user', mountPath: `/etc/${file}`, subPath: file, readOnly: true })),
      ...(spec.bootstrapScript === undefined ? [] : [{ name: 'bootstrap', mountPath: BOOTSTRAP.folder, readOnly: true }]),
      ...settings.storageMounts,
    ],
  };
}

/** Berth decides how long that may take: the kubelet would kill the container. */
const UNTIL_BOOTSTRAPPED: V1Probe = {
  exec: { command: IS_BOOTSTRAPPED.map(escaped) },
  periodSeconds: 1,
  timeoutSeconds: 5,
  failureThreshold: 2 ** 31 - 1,
};

const PULL_POLICY: Record<ImageRequest['pull'], string> = { always: 'Always', missing: 'IfNotPresent', never: 'Never' };

/** The node of another container of its session, and no other: until that one has a node it waits. */
function placeBeside({ beside }: ContainerSpec, { instance }: Options): Pick<V1PodSpec, 'affinity'> {
  if (beside === undefined) return {};
  const term = { labelSelector: { matchLabels: labelsOfRef(beside, instance) }, topologyKey: 'kubernetes.io/hostname' };
  return { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
}

const annotationsOf = (spec: ContainerSpec): Record<string, string> => ({
  [ANNOTATION.owner]: spec.owner,
  [ANNOTATION.project]: spec.project,
  [ANNOTATION.egress]: spec.egress,
  ...(spec.peers !== undefined && { [ANNOTATION.peers]: spec.peers.join(',') }),
  ...(spec.command.length === 0 && !spec.keepEntrypoint && { [ANNOTATION.command]: 'login-shell' }),
  ...(!isGated(spec) && { [ANNOTATION.gate]: 'none' }),
  ...(isFramed(spec) && { [ANNOTATION.stdin]: 'framed' }),
});

/** Values that were given are in the secret; these are nobody's. */
function environmentOf(spec: ContainerSpec): V1EnvVar[] {
  const usual = {
    HOME: spec.user.home,
    USER: spec.user.name,
    LOGNAME: spec.user.name,
    ...(spec.tty ? { TERM: 'xterm-256color' } : {}),
  };
  // An image may ask for all GPUs; where some are assigned, the cluster says which.
  const ours = spec.limits.gpus === 0 ? { NVIDIA_VISIBLE_DEVICES: 'void' } : {};
  const literal = (variables: Record<string, string>): V1EnvVar[] =>
    Object.entries(variables).map(([name, value]) => ({ name, value: escaped(value) }));
  const ordered = [...literal(usual), ...secretEnvironment(spec), ...literal(ours)];
  return [...new Map(ordered.map((variable) => [variable.name, variable])).values()];
}

/** Room is kept for what was asked for only; who asked for no memory is the first that the kernel takes when it is short. */
function resourcesOf({ limits, reserved, reserves }: ContainerSpec, gpuResource: string): NonNullable<V1Container['resources']> {
  const gpus: Record<string, string> = limits.gpus > 0 ? { [gpuResource]: String(limits.gpus) } : {};
  const kept = reserves ?? (reserved ? limits : { cpus: 0, memoryBytes: 0 });
  return {
    limits: { ...amounts(limits), ...gpus },
    requests: { ...amounts({ cpus: kept.cpus || LEAST.cpus, memoryBytes: kept.memoryBytes || LEAST.memoryBytes }), ...gpus },
  };
}
const LEAST = { cpus: 0.01, memoryBytes: 16 * 1024 ** 2 };
const amounts = ({ cpus, memoryBytes }: { readonly cpus: number; readonly memoryBytes: number }) => ({
  cpu: `${Math.ceil(cpus * 1000)}m`,
  memory: String(Math.floor(memoryBytes)),
});

const ownVolumes = (spec: ContainerSpec): V1Volume[] => [
  { name: 'berth', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
  { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: String(spec.limits.sharedMemoryBytes) } },
  {
    name: 'user',
    secret: { secretName: secretName(spec.ref), defaultMode: 0o444, items: SECRET_FILES.map((file) => ({ key: file, path: file })) },
  },
  ...(spec.bootstrapScript === undefined ? [] : [scriptVolume(spec)]),
];

const scriptVolume = (spec: ContainerSpec): V1Volume => ({
  name: 'bootstrap',
  secret: { secretName: secretName(spec.ref), defaultMode: 0o555, items: [{ key: SECRET_SCRIPT, path: BOOTSTRAP.file }] },
});

/** The same pod for an image that has no shell to wait at the gate: what it runs was given, and runs at once. */
export function ungated(pod: V1Pod): V1Pod {
  const { name, namespace, labels, annotations } = pod.metadata ?? {};
  const { [ANNOTATION.stdin]: _stdin, [ANNOTATION.startedAt]: _startedAt, [ANNOTATION.stoppedAt]: _stoppedAt, ...kept } = annotations ?? {};
  const { nodeName: _node, serviceAccount: _account, ...spec } = pod.spec ?? { containers: [] };
  const { activeDeadlineSeconds: _deadline, ...unlimited } = spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels && { labels }),
      annotations: { ...kept, [ANNOTATION.gate]: 'none' },
    },
    spec: {
      ...unlimited,
      containers: spec.containers.map(({ command: _command, args, lifecycle: _lifecycle, ...rest }) => ({
        ...rest,
        ...withoutGate(args === undefined ? {} : { args }),
      })),
    },
  };
}
