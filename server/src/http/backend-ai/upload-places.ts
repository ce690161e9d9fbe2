import { Refusal } from './refusal.ts';

interface Most {
  readonly inAll: number;
  readonly ofOneUser: number;
  /** Milliseconds. */
  readonly wait: number;
}
interface Waiting {
  readonly userId: string;
  readonly enter: () => void;
}

/** Places for forms that are held in memory: few in all, fewer for one user. Whoever finds none waits a while for her turn. */
export class UploadPlaces {
  readonly #most: Most;
  /** Whose the taken places are. */
  readonly #taken: string[] = [];
  /** In the order they came. */
  readonly #waiting = new Set<Waiting>();

  constructor(most: Most) {
    this.#most = most;
  }

  /** Throws a refusal to try again when there is no place in time, or the signal fires before. */
  async run<T>({ userId, signal }: { userId: string; signal: AbortSignal }, work: () => Promise<T>): Promise<T> {
    await this.#enter(userId, signal);
    try {
      return await work();
    } finally {
      this.#leave(userId);
    }
  }

  #hasPlace(userId: string): boolean {
    const own = this.#taken.filter((one) => one === userId).length;
    return this.#taken.length < this.#most.inAll && own < this.#most.ofOneUser;
  }

  async #enter(userId: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw givenUp();
    if (this.#hasPlace(userId)) return void this.#taken.push(userId);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { userId, enter: resolve };
    // Out of the queue at once, so that no place is given to who does not come.
    const turnAway = (why: Refusal): void => {
      this.#waiting.delete(waiting);
      reject(why);
    };
    const abandon = (): void => turnAway(givenUp());
    const timer = setTimeout(() => turnAway(busy()), this.#most.wait);
    signal.addEventListener('abort', abandon, { once: true });
    this.#waiting.add(waiting);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abandon);
    }
  }

  #leave(userId: string): void {
    this.#taken.splice(this.#taken.indexOf(userId), 1);
    for (const waiting of this.#waiting) {
      if (!this.#hasPlace(waiting.userId)) continue;
      this.#waiting.delete(waiting);
      this.#taken.push(waiting.userId);
      waiting.enter();
    }
  }
}

const busy = (): Refusal =>
  new Refusal('service-unavailable', 'as many forms are being uploaded as this server takes at once: try again in a moment');
const givenUp = (): Refusal => new Refusal('service-unavailable', 'the upload was given up before its turn came: send it again');
