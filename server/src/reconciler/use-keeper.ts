import { SessionUses, type UseStore } from '../domain/execution/session-uses.ts';

const EVERY_MS = 5000;

interface UseParts {
  readonly store: UseStore;
  readonly log: { warn(fields: object, message: string): void };
}

/** Writes down every few seconds how sessions were used, in one write for all; the rest when the server stops. */
export class UseKeeper {
  readonly uses = new SessionUses();
  readonly #parts: UseParts;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(parts: UseParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  /** One after the other; what could not be written stays for the next time. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async #write(): Promise<void> {
    const taken = this.uses.take();
    try {
      await this.#parts.store.noteUses(taken);
    } catch (err) {
      this.uses.giveBack(taken);
      this.#parts.log.warn({ err }, 'how sessions were used was not written down; tried again soon');
    }
  }
}
