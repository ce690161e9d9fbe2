export interface Limits {
  readonly totalMs: number;
  readonly stallMs: number;
}

/** Calls `onOver` once: when a wait has lasted too long, or all of them together with what lay between. */
export class Patience {
  readonly #limits: Limits;
  readonly #total: NodeJS.Timeout;
  readonly #onOver: () => void;
  #stall: NodeJS.Timeout | undefined;
  #over = false;

  constructor(limits: Limits, onOver: () => void) {
    this.#limits = limits;
    this.#onOver = onOver;
    this.#total = setTimeout(() => this.#end(), limits.totalMs).unref();
  }

  get over(): boolean {
    return this.#over;
  }

  /** Something is waited for, from now on. */
  waiting(): void {
    clearTimeout(this.#stall);
    this.#stall = setTimeout(() => this.#end(), this.#limits.stallMs).unref();
  }

  /** It has come. */
  resting(): void {
    clearTimeout(this.#stall);
  }

  stop(): void {
    clearTimeout(this.#stall);
    clearTimeout(this.#total);
  }

  #end(): void {
    this.stop();
    this.#over = true;
    this.#onOver();
  }
}
