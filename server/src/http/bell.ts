/** Wakes one waiter. A ring while nobody waits is remembered, so none is lost between looking and waiting. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Returns at the next ring, after `ms`, or when the signal fires. */
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.#rung && signal?.aborted !== true) await this.#sleep(ms, signal);
    this.#rung = false;
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}
