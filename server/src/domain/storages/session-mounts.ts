import { homeOf, OWNER_UID } from '../sessions/container-plan.ts';
import type { Session } from '../sessions/session.ts';

/** What a storage is called where its files are: by its id, so that neither another name nor another owner of the name changes it. */
export const volumeOf = (storageId: string): { name: string; uid: number; gid: number } => ({
  name: `storage-${storageId}`,
  uid: OWNER_UID,
  gid: OWNER_UID,
});

/** Where a user's home is inside. */
export const homeFolder = (ownerName: string): string => `/home/${ownerName}`;

interface VolumeMount {
  readonly storage: ReturnType<typeof volumeOf>;
  readonly target: string;
  readonly readOnly: boolean;
}

/** All that a session's container has of what outlives it: its owner's home, then the storages. */
export function mountsOf(session: Pick<Session, 'ownerId' | 'ownerName' | 'spec'>): readonly VolumeMount[] {
  const { mounts = [] } = session.spec;
  return [
    { storage: homeOf(session), target: homeFolder(session.ownerName), readOnly: false },
    ...mounts.map(({ storageId, target, readOnly }) => ({ storage: volumeOf(storageId), target, readOnly })),
  ];
}
