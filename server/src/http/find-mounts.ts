import type { MountRequest } from '@berth/contract';
import { noSuchStorage } from '../domain/storages/storage.ts';
import type { WantedMount } from '../domain/storages/plan-mounts.ts';
import type { StorageStore } from '../domain/storages/storage-store.ts';

/** The storages that a new session is to mount, by name or id, among its owner's. */
export function findMounts(storages: StorageStore, ownerId: string, asked: readonly MountRequest[]): Promise<readonly WantedMount[]> {
  return Promise.all(
    asked.map(async ({ storage: text, target, readOnly }) => {
      const storage = await storages.find(ownerId, text);
      if (storage === undefined || storage.deletedAt !== null) throw noSuchStorage(text, 'mounts');
      return { storage, target, readOnly };
    }),
  );
}
