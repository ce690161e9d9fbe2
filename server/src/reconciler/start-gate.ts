import { setTimeout as delay } from 'node:timers/promises';
import type { FirstByte } from '../domain/sessions/first-byte.ts';

const LISTEN_MS = 5_000;

/**
 * Between a container's creation and its start: whoever waits for its output attaches first. Engines keep a log, but not
 * byte for byte, so what is printed before somebody listens could not be given to her as it was.
 */
export class StartGate implements FirstByte {
  private readonly waiting = new Map<string, Set<() => Promise<void>>>();
  private readonly arrivals = new Map<string, () => void>();

  waitFor(sessionId: string, listen: () => Promise<void>): () => void {
    const listeners = this.waiting.get(sessionId) ?? new Set();
    this.waiting.set(sessionId, listeners);
    listeners.add(listen);
    this.arrivals.get(sessionId)?.();
    return () => {
      listeners.delete(listen);
      if (listeners.size === 0 && this.waiting.get(sessionId) === listeners) this.waiting.delete(sessionId);
    };
  }

  /** `expected`: somebody is known to be on her way. Returns when all listen, and after some seconds anyway. */
  async pass(sessionId: string, expected: boolean): Promise<void> {
    const giveUp = new AbortController();
    const late = delay(LISTEN_MS, undefined, { signal: giveUp.signal }).catch(() => undefined);
    try {
      if (expected && !this.waiting.has(sessionId)) await Promise.race([this.arrival(sessionId), late]);
      const listeners = [...(this.waiting.get(sessionId) ?? [])];
      this.waiting.delete(sessionId);
      await Promise.race([Promise.allSettled(listeners.map((listen) => listen())), late]);
    } finally {
      this.arrivals.delete(sessionId);
      giveUp.abort();
    }
  }

  private arrival(sessionId: string): Promise<void> {
    return new Promise((resolve) => this.arrivals.set(sessionId, resolve));
  }
}
