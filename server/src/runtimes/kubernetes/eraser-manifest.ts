import type { V1Pod } from '@kubernetes/client-node';
import type { StorageRef } from '../runtime.ts';
import { LABEL, labelValue } from './names.ts';
import type { KubernetesOptions } from './options.ts';
import { placementOf } from './pool.ts';
import { storageVolumes } from './storages.ts';

type Options = Pick<KubernetesOptions, 'instance' | 'namespace' | 'storage' | 'pools' | 'helperImage'>;

const FOLDER = '/storage';
/** Folders whose owner shut herself out are opened before they are looked into. */
const ERASE = `find ${FOLDER} -mindepth 1 -type d ! -perm -700 -exec chmod u+rwx {} \\; && find ${FOLDER} -mindepth 1 -delete`;

export const eraserName = (storage: StorageRef): string => `berth-erase-${storage.name}`;

/** A pod that empties one storage which is a folder of a shared volume, as the user to whom all in it belongs. It sees no other. */
export function eraserManifest(storage: StorageRef, options: Options): V1Pod {
  const { volumes, volumeMounts } = storageVolumes([{ storage, target: FOLDER, readOnly: false }], options);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: eraserName(storage),
      namespace: options.namespace,
      labels: { [LABEL.instance]: options.instance, [LABEL.storage]: labelValue(storage.name) },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: storage.uid,
        runAsGroup: storage.gid,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...placementOf({ node: '', limits: { gpus: 0 } }, options.pools),
      containers: [
        {
          name: 'erase',
          image: options.helperImage,
          imagePullPolicy: 'IfNotPresent',
          command: ['/bin/sh', '-c', ERASE],
          resources: { limits: { cpu: '1', memory: '128Mi' }, requests: { cpu: '10m', memory: '16Mi' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts,
        },
      ],
      volumes,
    },
  };
}
