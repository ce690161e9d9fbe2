import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import { RuntimeError, type Terminal } from '../runtimes/runtime.ts';
import { Latest } from './latest.ts';

export interface Size {
  readonly rows: number;
  readonly cols: number;
}
interface Fitting {
  /** A program draws the whole screen and should do so again, which it does when the size really changes. */
  readonly nudge: boolean;
  /** Something was printed since this terminal was attached to. */
  readonly hasPrinted: () => boolean;
  /** A process about to start has no terminal yet that could be resized. */
  readonly started: () => Promise<boolean>;
}

const LOOK_MS = 20;
/** A cluster may resize before it hands on what is printed: whoever stays silent is asked to draw again. */
const NUDGED_AFTER_MS = [250, 1_000, 3_000];

/** Keeps a process's terminal as large as its client's. */
export class TerminalSize {
  readonly #log: FastifyBaseLogger;
  #size: Size | undefined;
  #terminal: Terminal | undefined;
  readonly #changes = new Latest<Size>((size) => this.#resize(size));

  constructor(size: Size | undefined, log: FastifyBaseLogger) {
    this.#size = size;
    this.#log = log;
  }

  get current(): Size | undefined {
    return this.#size;
  }

  change(size: Size): void {
    this.#size = size;
    void this.#changes.ask(size);
  }

  /** Returns once the terminal has its size, as soon as there is one to resize, or it was left before. */
  async fit(terminal: Terminal, fitting: Fitting): Promise<void> {
    this.#terminal = terminal;
    await this.#fit(terminal, fitting);
    if (fitting.nudge) void this.#nudgeUntilPrinted(terminal, fitting.hasPrinted);
  }

  leave(): void {
    this.#terminal = undefined;
  }

  async #fit(terminal: Terminal, { nudge, started }: Fitting): Promise<void> {
    while (this.#terminal === terminal && !(await this.#looks(started))) await sleep(LOOK_MS);
    const size = this.#size;
    if (size === undefined || this.#terminal !== terminal) return;
    if (nudge) await this.#nudge(size);
    else await this.#resize(size);
  }

  async #nudgeUntilPrinted(terminal: Terminal, hasPrinted: () => boolean): Promise<void> {
    for (const pauseMs of NUDGED_AFTER_MS) {
      await sleep(pauseMs, undefined, { ref: false });
      if (this.#terminal !== terminal || hasPrinted() || this.#size === undefined) return;
      await this.#nudge(this.#size);
    }
  }

  async #nudge(size: Size): Promise<void> {
    await this.#resize({ rows: size.rows, cols: size.cols + 1 });
    await this.#resize(this.#size ?? size);
  }

  async #looks(started: () => Promise<boolean>): Promise<boolean> {
    try {
      return await started();
    } catch (error) {
      if (error instanceof RuntimeError) return false;
      this.#log.error({ err: error }, 'a terminal could not be looked at; its size stays');
      return true;
    }
  }

  async #resize(size: Size): Promise<void> {
    try {
      await this.#terminal?.resize(size);
    } catch (error) {
      this.#log.debug({ err: error }, 'a terminal was not resized: its process has ended or the engine is away');
    }
  }
}
