import type { V1PersistentVolumeClaim, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { ContainerSpec, StorageRef } from '../runtime.ts';
import { claimName, LABEL, labelValue } from './names.ts';
import type { KubernetesOptions, StorageSource } from './options.ts';

interface Mounted {
  readonly volumes: V1Volume[];
  readonly volumeMounts: V1VolumeMount[];
}

/** A session's storages as the pod mounts them. */
export function storageVolumes(mounts: ContainerSpec['mounts'], options: Pick<KubernetesOptions, 'instance' | 'storage'>): Mounted {
  const names = [...new Set(mounts.map(({ storage }) => storage.name))];
  const { storage: source, instance } = options;
  const perStorage = source.kind === 'class';
  const volumes = perStorage
    ? names.map((name, index) => ({ name: `storage-${index}`, persistentVolumeClaim: { claimName: claimName(instance, name) } }))
    : names.slice(0, 1).map(() => ({ name: 'storages', ...sharedVolume(source) }));
  const volumeMounts = mounts.map(({ storage, target, readOnly }) => ({
    ...(perStorage ? { name: `storage-${names.indexOf(storage.name)}` } : { name: 'storages', subPath: folderOf(storage, options) }),
    mountPath: target,
    readOnly,
  }));
  return { volumes, volumeMounts };
}

function sharedVolume(source: Exclude<StorageSource, { kind: 'class' }>): Omit<V1Volume, 'name'> {
  switch (source.kind) {
    case 'claim':
      return { persistentVolumeClaim: { claimName: source.name } };
    case 'host-path':
      // A path that is missing would be made by the kubelet for root alone.
      return { hostPath: { path: source.path, type: 'Directory' } };
    case 'nfs':
      return { nfs: { server: source.server, path: source.path } };
    case 'none':
      return { emptyDir: {} };
  }
}

/** Installations may share a volume. */
const folderOf = (storage: StorageRef, { instance }: Pick<KubernetesOptions, 'instance'>): string => claimName(instance, storage.name);

/** The claim that must be there before a pod mounts the storage; undefined where storages need none of their own. */
export function claimManifest(
  storage: StorageRef,
  options: Pick<KubernetesOptions, 'instance' | 'namespace' | 'storage'>,
): V1PersistentVolumeClaim | undefined {
  const { storage: source } = options;
  if (source.kind !== 'class') return undefined;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimName(options.instance, storage.name),
      namespace: options.namespace,
      labels: { [LABEL.instance]: options.instance, [LABEL.storage]: labelValue(storage.name) },
    },
    spec: {
      accessModes: [source.accessMode],
      ...(source.name === undefined ? {} : { storageClassName: source.name }),
      resources: { requests: { storage: source.size } },
    },
  };
}
