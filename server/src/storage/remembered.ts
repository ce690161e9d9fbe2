const MOST = 1000;
/** How long another server's change of somebody's rights may go unnoticed. */
export const REMEMBERED_MS = 1_000;

/**
 * What was read of who may do something, for a moment: nearly every request asks. Whoever changes it on this server forgets it at
 * once; what another server changes shows after `forMs`, in ms.
 */
export class Remembered<T> {
  readonly #forMs: number;
  readonly #now: () => number;
  readonly #read = new Map<string, { readonly at: number; readonly value: Promise<T | undefined> }>();

  constructor(forMs: number, now: () => number = Date.now) {
    this.#forMs = forMs;
    this.#now = now;
  }

  /** Kept from when it is asked for, so that what is forgotten meanwhile does not come back. What is not there is not kept. */
  get(key: string, read: () => Promise<T | undefined>): Promise<T | undefined> {
    const known = this.#read.get(key);
    if (known !== undefined && this.#now() < known.at + this.#forMs) return known.value;
    if (this.#read.size >= MOST) this.#read.clear();
    const entry = { at: this.#now(), value: read() };
    this.#read.set(key, entry);
    const drop = (): void => {
      if (this.#read.get(key) === entry) this.#read.delete(key);
    };
    entry.value.then((value) => value ?? drop(), drop);
    return entry.value;
  }

  forget(): void {
    this.#read.clear();
  }
}
