import { homeOf, OWNER_UID } from '../sessions/container-plan.ts';
import type { Mount, Session, SessionSpec } from '../sessions/session.ts';

/** What a storage is called where its files are: by its id, so that neither another name nor another owner of the name changes it. */
export const volumeOf = (storageId: string): { name: string; uid: number; gid: number } => ({
  name: `storage-${storageId}`,
  uid: OWNER_UID,
  gid: OWNER_UID,
});

/** Where a user's home is inside. */
export const homeFolder = (ownerName: string): string => `/home/${ownerName}`;

/** Sessions of before there were storages have none. */
export const storagesIn = ({ mounts = [] }: Pick<SessionSpec, 'mounts'>): readonly Mount[] => mounts;

interface VolumeMount {
  readonly storage: ReturnType<typeof volumeOf>;
  readonly target: string;
  readonly readOnly: boolean;
}

/** All that a session's container has of what outlives it: its owner's home, then the storages. */
export function mountsOf(session: Pick<Session, 'ownerId' | 'ownerName' | 'spec'>): readonly VolumeMount[] {
  return [
    { storage: homeOf(session), target: homeFolder(session.ownerName), readOnly: false },
    ...storagesIn(session.spec).map(({ storageId, target, readOnly }) => ({ storage: volumeOf(storageId), target, readOnly })),
  ];
}
