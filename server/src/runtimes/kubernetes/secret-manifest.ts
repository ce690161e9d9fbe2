import type { V1EnvVar, V1Secret } from '@kubernetes/client-node';
import type { ContainerSpec } from '../runtime.ts';
import { labelsOf, secretName } from './names.ts';
import type { KubernetesOptions } from './options.ts';

/** Keys of the secret; variables have a prefix, so that none is taken for a file. */
export const SECRET_FILES = ['passwd', 'group'] as const;
export const SECRET_SCRIPT = 'bootstrap';
const keyOf = (variable: string): string => `env.${variable}`;

/** What nobody else may see of a container, and its user: values of variables, its bootstrap script, /etc/passwd and /etc/group. */
export function secretManifest(spec: ContainerSpec, options: Pick<KubernetesOptions, 'instance' | 'namespace'>): V1Secret {
  const variables = Object.entries(givenVariables(spec)).map(([name, value]) => [keyOf(name), value]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretName(spec.ref), namespace: options.namespace, labels: labelsOf(spec, options.instance) },
    type: 'Opaque',
    // Kubelets need not look whether it has changed.
    immutable: true,
    stringData: {
      ...Object.fromEntries(variables),
      passwd: passwdOf(spec.user),
      group: groupOf(spec.user),
      ...(spec.bootstrapScript !== undefined && { [SECRET_SCRIPT]: spec.bootstrapScript }),
    },
  };
}

/** The variables that were given, as the pod refers to them. */
export const secretEnvironment = (spec: ContainerSpec): V1EnvVar[] =>
  Object.keys(givenVariables(spec)).map((name) => ({
    name,
    valueFrom: { secretKeyRef: { name: secretName(spec.ref), key: keyOf(name) } },
  }));

/** GPUs come from the cluster: one cannot be taken by naming it. */
function givenVariables({ env }: ContainerSpec): Record<string, string> {
  const { NVIDIA_VISIBLE_DEVICES: _, ...rest } = env;
  return rest;
}

type User = ContainerSpec['user'];

/** The users that Debian, Alpine and Red Hat have in common: nobody reads the image's own file before the pod is there. */
const SYSTEM_USERS = [
  ['root', 0, 0, '/root'],
  ['daemon', 1, 1, '/usr/sbin'],
  ['bin', 2, 2, '/bin'],
  ['sys', 3, 3, '/dev'],
  ['mail', 8, 8, '/var/mail'],
  ['www-data', 33, 33, '/var/www'],
  ['nobody', 65_534, 65_534, '/nonexistent'],
] as const;

const SYSTEM_GROUPS = [
  ['root', 0],
  ['daemon', 1],
  ['bin', 2],
  ['sys', 3],
  ['adm', 4],
  ['tty', 5],
  ['disk', 6],
  ['mail', 8],
  ['shadow', 42],
  ['utmp', 43],
  ['video', 44],
  ['staff', 50],
  ['www-data', 33],
  ['users', 100],
  ['nogroup', 65_534],
] as const;

/** No other entry keeps the owner's number or name. */
function passwdOf(user: User): string {
  const others = SYSTEM_USERS.filter(([name, uid]) => name !== user.name && uid !== user.uid).map(
    ([name, uid, gid, home]) => `${name}:x:${uid}:${gid}:${name}:${home}:${uid === 0 ? '/bin/sh' : '/usr/sbin/nologin'}`,
  );
  return `${[...others, `${user.name}:x:${user.uid}:${user.gid}::${user.home}:/bin/bash`].join('\n')}\n`;
}

function groupOf(user: User): string {
  const others = SYSTEM_GROUPS.filter(([name, gid]) => name !== user.name && gid !== user.gid).map(([name, gid]) => `${name}:x:${gid}:`);
  return `${[...others, `${user.name}:x:${user.gid}:`].join('\n')}\n`;
}
