import type { Storage } from '../../domain/storages/storage.ts';
import type { SignedCaller } from './signature-check.ts';
import { Refusal } from './refusal.ts';

/** Where their folders are kept; there is one such place here. */
export const HOST = 'default';

/** As they write ids of folders: without hyphens. */
export const folderId = (id: string): string => id.replaceAll('-', '');

/** A name, or an id as it was sent, in the form in which ids are looked up. */
export const nameOrId = (text: string): string =>
  text.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i, '$1-$2-$3-$4-$5');

export const noSuchFolder = (message: string, cause?: unknown): Refusal =>
  new Refusal('object-not-found', message, { title: 'No such virtual folder.', cause });

/** A folder in their list, and what creating one answers. */
export function folderPage(storage: Storage, { user }: SignedCaller): object {
  const id = folderId(storage.id);
  return {
    id,
    name: storage.name,
    host: HOST,
    status: 'ready',
    usage_mode: 'general',
    permission: 'rw',
    created_at: storage.createdAt.toISOString(),
    is_owner: storage.ownerId === user.id,
    creator: storage.ownerName,
    user: storage.ownerId,
    group: null,
    ownership_type: 'user',
    type: 'user',
    cloneable: false,
    max_files: 0,
    max_size: null,
    unmanaged_path: null,
  };
}

/** One folder in full. How much is in it nobody counts: null, not 0. */
export const folderInformation = (storage: Storage, caller: SignedCaller): object => ({
  ...folderPage(storage, caller),
  created: storage.createdAt.toISOString(),
  last_used: null,
  numFiles: null,
  used_bytes: null,
});
