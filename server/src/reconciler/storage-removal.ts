import { setTimeout as delay } from 'node:timers/promises';
import type { StorageRemovals } from '../domain/storages/storage-store.ts';
import { volumeOf } from '../domain/storages/session-mounts.ts';
import { RuntimeError, type Runtime } from '../runtimes/runtime.ts';

export interface StorageRemovalParts {
  readonly storages: StorageRemovals;
  readonly runtime: Pick<Runtime, 'removeStorage'>;
  readonly everyMs: number;
  readonly now: () => Date;
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
}

type Due = Awaited<ReturnType<StorageRemovals['due']>>[number];
const RETRY_MS = 5_000;

/**
 * Removes the storages whose deletion was asked for. The row is the only memory: what a killed server began is begun again
 * by whichever looks next, and what an engine refuses now is asked of it again later.
 */
export class StorageRemoval {
  readonly #parts: StorageRemovalParts;
  readonly #ending = new AbortController();
  #nudged = new AbortController();
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: StorageRemovalParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#looking = this.#look();
  }

  /** There is something to be removed now. */
  nudge(): void {
    this.#nudged.abort();
  }

  /** Waits for the removal that is under way. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      this.#nudged = new AbortController();
      const signal = AbortSignal.any([this.#ending.signal, this.#nudged.signal]);
      const { everyMs, log } = this.#parts;
      const done = await this.#removeAll().catch((error: unknown) => {
        log.error({ err: error }, 'storages could not be looked at; they are looked at again');
        return false;
      });
      await delay(done ? everyMs : Math.min(everyMs, RETRY_MS), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Answers whether all are gone. One that cannot be removed does not hold up the others. */
  async #removeAll(): Promise<boolean> {
    let left = 0;
    for (const storage of await this.#parts.storages.due()) {
      if (this.#ending.signal.aborted) return false;
      const error = await this.#remove(storage.id);
      if (error === undefined) continue;
      left += 1;
      await this.#note(storage, error.failure.message);
      if (error.kind === 'unreachable') return false;
    }
    return left === 0;
  }

  async #remove(id: string): Promise<RuntimeError | undefined> {
    const { storages, runtime, now } = this.#parts;
    try {
      await runtime.removeStorage(volumeOf(id));
      await storages.removed(id, now());
      return undefined;
    } catch (error) {
      if (error instanceof RuntimeError) return error;
      throw error;
    }
  }

  async #note({ id, name, trouble }: Due, reason: string): Promise<void> {
    if (reason === trouble) return;
    this.#parts.log.warn({ storage: id, name, reason }, 'a storage is not removed yet; it is tried again');
    await this.#parts.storages.troubled(id, reason);
  }
}
