import type { Page, PageRequest } from '../users/user-store.ts';
import type { Storage } from './storage.ts';

export interface NewStorage {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly projectId: string;
  readonly clientToken: string | null;
}

/** What requests need of the table. */
export interface StorageStore {
  /** Same owner and client token: the one made before (`created` false), or ProblemError token-reused where it was another request.
   *  A name that one of the owner's has, unless it is being deleted: ProblemError name-taken. */
  create(storage: NewStorage): Promise<{ readonly storage: Storage; readonly created: boolean }>;
  /** By id, or by name among one owner's: one that is not being deleted first. null: of anybody, by id only. */
  find(ownerId: string | null, text: string): Promise<Storage | undefined>;
  /** Newest first, also those being deleted. null: everybody's. */
  list(ownerId: string | null, page: PageRequest): Promise<Page<Storage>>;
  /** From now on no session can be made that mounts it, and it is removed. ProblemError wrong-state while a live one does. */
  askRemoval(id: string, now: Date): Promise<Storage>;
}

/** What is to be deleted, for whoever does it. */
export interface StorageRemovals {
  /** Oldest wish first. */
  due(): Promise<readonly Pick<Storage, 'id' | 'name' | 'trouble'>[]>;
  /** Nothing of it is left. */
  removed(id: string, now: Date): Promise<void>;
  troubled(id: string, trouble: string): Promise<void>;
}
