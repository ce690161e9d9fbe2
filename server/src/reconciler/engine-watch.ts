import { setTimeout as delay } from 'node:timers/promises';
import type { QuarantineStore, ReconcilerStore } from '../domain/sessions/session-store.ts';
import { RuntimeError, type ContainerRef, type Runtime } from '../runtimes/runtime.ts';
import type { Loop } from './loop.ts';
import type { NodeWatch } from './node-watch.ts';
import { sweep, type SweepParts, type SweepReport } from './sweep.ts';

export interface EngineWatchParts {
  readonly runtime: Runtime;
  readonly nodes: NodeWatch;
  readonly store: ReconcilerStore;
  readonly quarantine: QuarantineStore;
  readonly loop: Loop;
  readonly now: () => Date;
  readonly sweepEveryMs: number;
  readonly policy: SweepParts['policy'];
  readonly metrics: { readonly corrections: { inc(n: number): void }; readonly quarantined: { set(n: number): void } };
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
}

const AGAIN_MS = 1_000;
const NODES_EVERY_MS = 10_000;

/** Keeps an ear on the engine: its events as hints, its nodes now and then, and the sweep that trusts neither. */
export class EngineWatch {
  private readonly parts: EngineWatchParts;
  private readonly ending = new AbortController();
  private tasks: readonly Promise<void>[] = [];
  private sweeping: Promise<void> | undefined;
  /** Why the engine's events are not heard: said once, not every second of an outage. */
  private lastLoss: string | undefined;

  constructor(parts: EngineWatchParts) {
    this.parts = parts;
  }

  start(): void {
    this.tasks = [
      this.listen(),
      this.every(NODES_EVERY_MS, () => this.lookAtNodes()),
      this.every(this.parts.sweepEveryMs, () => this.sweepOnce()),
    ];
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.tasks);
    await this.sweeping;
  }

  private async listen(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      try {
        await this.follow(this.parts.runtime.watch(signal)[Symbol.asyncIterator]());
      } catch (error) {
        await this.lost(error);
      }
      await this.pause(AGAIN_MS);
    }
  }

  /** Listens before it sweeps, so that what happens in between is not missed. */
  private async follow(hints: AsyncIterator<ContainerRef>): Promise<void> {
    const first = hints.next();
    first.catch(() => undefined);
    try {
      await this.sweepOnce();
      this.lastLoss = undefined;
      for (let hint = await first; hint.done !== true; hint = await hints.next()) await this.parts.loop.hint(hint.value.sessionId);
    } finally {
      await hints.return?.();
    }
  }

  private async lost(error: unknown): Promise<void> {
    if (this.ending.signal.aborted) return;
    const reason = error instanceof RuntimeError ? error.failure.message : String(error);
    if (reason !== this.lastLoss) this.parts.log.warn({ reason }, 'the engine does not tell what happens; asking again every second');
    this.lastLoss = reason;
    await this.lookAtNodes().catch(() => undefined);
  }

  private async lookAtNodes(): Promise<void> {
    if (await this.parts.nodes.refresh()) {
      await this.parts.store.wakePending();
      this.parts.loop.nudge();
    }
  }

  /** One at a time; a second call waits for the first. */
  private async sweepOnce(): Promise<void> {
    this.sweeping ??= this.sweep().finally(() => (this.sweeping = undefined));
    await this.sweeping;
  }

  private async sweep(): Promise<void> {
    const { runtime, store, quarantine, loop, now, policy, log, metrics } = this.parts;
    const report: SweepReport = await sweep({ runtime, store, quarantine, now, policy, log, hint: (id) => loop.hint(id) });
    metrics.corrections.inc(report.corrected);
    metrics.quarantined.set(report.quarantined);
  }

  private async every(ms: number, work: () => Promise<void>): Promise<void> {
    while (!this.ending.signal.aborted) {
      await this.pause(ms);
      if (this.ending.signal.aborted) return;
      await work().catch((error: unknown) => {
        if (!(error instanceof RuntimeError)) this.parts.log.error({ err: error }, 'a periodic look at the engine failed; it is repeated');
      });
    }
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }
}
