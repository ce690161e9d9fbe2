import type { V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { LABEL } from './names.ts';
import { isOver } from './room.ts';

/** Who keeps a storage of this pod on another node, where one node at a time may have it. */
export function storageHolder(
  pod: V1Pod,
  known: { readonly claims?: readonly V1PersistentVolumeClaim[]; readonly pods?: readonly V1Pod[] },
): string | undefined {
  for (const claim of claimsOf(pod)) {
    const modes = known.claims?.find(({ metadata }) => metadata?.name === claim)?.spec?.accessModes ?? [];
    if (modes.length === 0 || modes.some((mode) => mode.endsWith('Many'))) continue;
    const holder = known.pods?.find((other) => isElsewhere(other, pod) && claimsOf(other).includes(claim));
    if (holder !== undefined)
      return `its storage (claim ${claim}) can be used on one node at a time, and ${titleOf(holder)} has it on ${holder.spec?.nodeName}`;
  }
  return undefined;
}

const claimsOf = (pod: V1Pod): string[] => (pod.spec?.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);

const isElsewhere = (other: V1Pod, pod: V1Pod): boolean =>
  other.metadata?.namespace === pod.metadata?.namespace &&
  other.spec?.nodeName !== undefined &&
  other.spec.nodeName !== pod.spec?.nodeName &&
  !isOver(other);

function titleOf({ metadata }: V1Pod): string {
  const session = metadata?.labels?.[LABEL.session];
  const owner = metadata?.labels?.[LABEL.owner];
  return session === undefined ? `pod ${metadata?.name}` : `session ${session}${owner === undefined ? '' : ` of ${owner}`}`;
}
