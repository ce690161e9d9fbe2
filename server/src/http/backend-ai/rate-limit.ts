import { RollingWindow, WINDOW_SECONDS } from './rolling-window.ts';

/** Of one key pair, unless something else is configured: enough for clients that ask again and again. */
export const REQUESTS_PER_WINDOW = 30_000;
/** What is said to requests that are not signed; nothing of theirs is counted. */
const UNSIGNED_LIMIT = 1000;
const SWEEP_AT = 1000;

export interface Counted {
  readonly over: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** How many requests each access key may send. In memory: a server that starts anew begins to count anew. */
export class RateLimit {
  readonly #limit: number;
  readonly #windows = new Map<string, RollingWindow>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  count(accessKey: string, now: Date): Counted {
    if (this.#windows.size >= SWEEP_AT) this.#sweep(now);
    const window = this.#windows.get(accessKey) ?? new RollingWindow();
    this.#windows.set(accessKey, window);
    return counted(this.#limit, window.add(now));
  }

  #sweep(now: Date): void {
    for (const [accessKey, window] of this.#windows) if (window.isEmpty(now)) this.#windows.delete(accessKey);
  }
}

const counted = (limit: number, requests: number): Counted => ({
  over: requests > limit,
  headers: {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(Math.max(limit - requests, 0)),
    'x-ratelimit-window': String(WINDOW_SECONDS),
  },
});

export const UNSIGNED = counted(UNSIGNED_LIMIT, 0).headers;
