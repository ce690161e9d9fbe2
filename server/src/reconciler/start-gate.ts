import type { FirstByte } from '../domain/sessions/first-byte.ts';

const LISTEN_MS = 5_000;
type Listen = Parameters<FirstByte['waitFor']>[1];

/**
 * Between a container's creation and its start: whoever waits for its output attaches first. Engines keep a log, but not
 * byte for byte, so what is printed before somebody listens could not be given to her as it was.
 */
export class StartGate implements FirstByte {
  private readonly waiting = new Map<string, Set<Listen>>();
  private readonly arrivals = new Map<string, () => void>();
  private readonly patienceMs: number;

  constructor(patienceMs: number = LISTEN_MS) {
    this.patienceMs = patienceMs;
  }

  waitFor(sessionId: string, listen: Listen): () => void {
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
    const tooLate = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.patienceMs))).then(() => tooLate.abort());
    try {
      if (expected && !this.waiting.has(sessionId)) await Promise.race([this.arrival(sessionId), late]);
      const listeners = [...(this.waiting.get(sessionId) ?? [])];
      this.waiting.delete(sessionId);
      await Promise.race([Promise.allSettled(listeners.map((listen) => listen(tooLate.signal))), late]);
    } finally {
      this.arrivals.delete(sessionId);
      clearTimeout(timer);
    }
  }

  private arrival(sessionId: string): Promise<void> {
    return new Promise((resolve) => this.arrivals.set(sessionId, resolve));
  }
}
