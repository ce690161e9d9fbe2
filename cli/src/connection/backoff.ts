import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 100;
const LONGEST_MS = 3_000;
const GIVE_UP_AFTER_MS = 60_000;

export interface Backoff {
  /** Waits a little longer each time; false when it is time to give up, or `signal` says so. */
  pause(signal?: AbortSignal): Promise<boolean>;
}

/** For a server that is being restarted: soon at first, then patiently, for a minute. */
export function backoff(giveUpAfterMs = GIVE_UP_AFTER_MS): Backoff {
  const since = performance.now();
  let next = FIRST_MS;
  return {
    async pause(signal) {
      const left = giveUpAfterMs - (performance.now() - since);
      if (left <= 0 || signal?.aborted) return false;
      const ms = Math.min(next, left);
      next = Math.min(next * 2, LONGEST_MS);
      await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      return signal?.aborted !== true;
    },
  };
}
