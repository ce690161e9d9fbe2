import { randomFillSync } from 'node:crypto';
import { rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageRefusal } from './refusal.ts';

const MIB = 1024 ** 2;
const RESERVE_BYTES = 16 * MIB;
/** What a running server wants to find free. */
const NEEDED_BYTES = 48 * MIB;
/** The binaries, the new cluster and the reserve. */
const FIRST_START_BYTES = 256 * MIB;

/** A file kept aside on the same disk, so that a full one can still be cleaned up with Berth. */
export class DiskReserve {
  readonly #path: string;
  readonly #folder: string;
  readonly #report: (line: string) => void;

  constructor(folder: string, report: (line: string) => void) {
    this.#folder = folder;
    this.#path = join(folder, 'reserve');
    this.#report = report;
  }

  /** Before anything is written: refuses a disk that is too full, gives the reserve up where that is enough. */
  async check(firstStart: boolean): Promise<void> {
    const free = await this.#free();
    const needed = firstStart ? FIRST_START_BYTES : NEEDED_BYTES;
    if (free >= needed || (!firstStart && (await this.#release()))) return;
    throw new StorageRefusal(
      'no-space',
      `The disk of ${this.#folder} has ${mib(free)} free; Berth's database needs ${mib(needed)}. Free some space there, or move the data folder (BERTH_DATA).`,
    );
  }

  /** Gives it up on a disk that is nearly full; makes it, or makes it again, where there is room for it and for the server. */
  async adjust(): Promise<void> {
    const free = await this.#free();
    if (free < NEEDED_BYTES) await this.#release();
    // Random, so that no file system stores it as nothing.
    else if (free >= NEEDED_BYTES + 2 * RESERVE_BYTES && !(await this.#held())) {
      await writeFile(this.#path, randomFillSync(Buffer.alloc(RESERVE_BYTES)), { mode: 0o600 });
    }
  }

  /** true: there was one, and its space is free now. */
  async #release(): Promise<boolean> {
    if (!(await this.#held())) return false;
    await rm(this.#path, { force: true });
    this.#report(
      `The disk of ${this.#folder} is nearly full. Berth gave up its reserve of ${mib(RESERVE_BYTES)}: free some space before that is used up too.`,
    );
    return true;
  }

  async #held(): Promise<boolean> {
    return ((await stat(this.#path).catch(() => undefined))?.size ?? 0) >= RESERVE_BYTES;
  }

  async #free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }
}

const mib = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;
