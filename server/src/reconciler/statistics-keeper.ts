import { setTimeout as delay } from 'node:timers/promises';
import { containerOf, MAIN } from '../domain/sessions/container-plan.ts';
import type { Counted, ReconcilerStore } from '../domain/sessions/session-store.ts';
import { later, lifeOf, withUsage, type KeptStatistics, type LiveStatistics } from '../domain/sessions/statistics.ts';
import type { Session } from '../domain/sessions/session.ts';
import { RuntimeError, type Runtime } from '../runtimes/runtime.ts';

export interface StatisticsKeeperParts {
  readonly store: Pick<ReconcilerStore, 'counted' | 'keepStatistics'>;
  readonly runtime: Pick<Runtime, 'statistics'>;
  readonly now: () => Date;
  readonly log: { warn(fields: object, message: string): void; debug(fields: object, message: string): void };
}

/** What has just begun is counted soon: it may not last. */
const LOOK_EVERY_MS = 5_000;
const COUNT_EVERY_MS = 30_000;
const WRITE_EVERY_MS = 5 * 60_000;
const FORGOTTEN_AFTER_MS = 60_000;
const AT_ONCE = 8;
/** How long anybody waits for an engine's figures. The end of a session is held up by no more than a moment. */
const PATIENCE_MS = { live: 1_000, ending: 250, round: 15_000 };
/** Who asks as often as that is answered the same. */
const YOUNG_MS = 2_000;

const NOT_COUNTED = 'what a session uses could not be counted';

interface Known {
  readonly kept: KeptStatistics;
  readonly life: string;
  readonly countedAt: number;
  /** Not in the table yet. */
  readonly fresh: boolean;
}

/**
 * What sessions use, in memory between two writes: written every few minutes, and when a session is about to lose its container.
 * What is lost with a killed server is counted again, since containers count from their start. Nothing here ever fails a session.
 */
export class StatisticsKeeper implements LiveStatistics {
  private readonly parts: StatisticsKeeperParts;
  private readonly known = new Map<string, Known>();
  private readonly ending = new AbortController();
  private task: Promise<void> | undefined;
  private writtenAt = 0;

  constructor(parts: StatisticsKeeperParts) {
    this.parts = parts;
  }

  start(): void {
    this.writtenAt = this.parts.now().getTime();
    this.task = this.goRound();
  }

  /** Writes down what is not yet. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.task;
    await this.write([...this.known.keys()]);
  }

  async live(session: Session): Promise<KeptStatistics | undefined> {
    // Between two processes nobody knows which one is counted.
    if (session.state !== 'running' && !session.frozen) return undefined;
    const known = this.known.get(session.id);
    if (known?.life === lifeOf(session) && this.parts.now().getTime() - known.countedAt < YOUNG_MS) return known.kept;
    return (await this.count(session, PATIENCE_MS.live)) ? this.known.get(session.id)?.kept : undefined;
  }

  /** Before its processes are ended: afterwards there is nothing to count. */
  async countLast(session: Session): Promise<void> {
    await this.count(session, PATIENCE_MS.ending);
  }

  /** When its container goes: what is known by then is what is kept. */
  async keep({ id }: Pick<Session, 'id'>): Promise<void> {
    await this.write([id]);
  }

  private async goRound(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      await this.round().catch((err: unknown) => this.parts.log.warn({ err }, 'what sessions use could not be counted; trying again'));
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async round(): Promise<void> {
    const running = await this.parts.store.counted();
    const now = this.parts.now().getTime();
    const due = running.filter((session) => this.isDue(session, now));
    for (let at = 0; at < due.length && !this.ending.signal.aborted; at += AT_ONCE)
      await Promise.all(due.slice(at, at + AT_ONCE).map((session) => this.count(session, PATIENCE_MS.round)));
    await this.forgetOthers(new Set(running.map(({ id }) => id)), now);
    if (now - this.writtenAt < WRITE_EVERY_MS) return;
    await this.write([...this.known.keys()]);
    this.writtenAt = now;
  }

  private isDue(session: Counted, now: number): boolean {
    const known = this.known.get(session.id);
    return known === undefined || known.life !== lifeOf(session) || now - known.countedAt >= COUNT_EVERY_MS;
  }

  /** What does not run any more: another server may have ended it, and know less. One that is only restarted is back soon. */
  private async forgetOthers(running: ReadonlySet<string>, now: number): Promise<void> {
    const gone = [...this.known.keys()].filter((id) => !running.has(id));
    await this.write(gone);
    for (const id of gone) {
      const known = this.known.get(id);
      if (known?.fresh === false && now - known.countedAt >= FORGOTTEN_AFTER_MS) this.known.delete(id);
    }
  }

  /** False: nothing was counted. Of several containers main1, for now. */
  private async count(session: Counted, patienceMs: number): Promise<boolean> {
    const { runtime, now, log } = this.parts;
    const life = lifeOf(session);
    try {
      const usage = await within(patienceMs, runtime.statistics(containerOf(session)), this.ending.signal);
      if (usage === undefined) return false;
      const before = later(this.known.get(session.id)?.kept, session.statistics);
      const kept = { ...before, [MAIN]: withUsage(before?.[MAIN], usage, { life, at: now() }) };
      this.known.set(session.id, { kept, life, countedAt: now().getTime(), fresh: true });
      return true;
    } catch (error) {
      if (error instanceof RuntimeError) log.debug({ session: session.id, reason: error.failure.message }, NOT_COUNTED);
      else log.warn({ err: error, session: session.id }, NOT_COUNTED);
      return false;
    }
  }

  private async write(ids: readonly string[]): Promise<void> {
    const fresh = ids.flatMap((id) => {
      const known = this.known.get(id);
      return known?.fresh === true ? [[id, known] as const] : [];
    });
    if (fresh.length === 0) return;
    try {
      await this.parts.store.keepStatistics(new Map(fresh.map(([id, { kept }]) => [id, kept])));
      for (const [id, written] of fresh) if (this.known.get(id) === written) this.known.set(id, { ...written, fresh: false });
    } catch (err) {
      this.parts.log.warn({ err, sessions: fresh.length }, 'what sessions have used could not be written down; trying again');
    }
  }
}

/** Undefined when the time is over, or the server stops: what comes later is not waited for. */
async function within<T>(ms: number, answer: Promise<T | undefined>, ending: AbortSignal): Promise<T | undefined> {
  const over = new AbortController();
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, delay(ms, undefined, { signal: AbortSignal.any([over.signal, ending]) }).catch(() => undefined)]);
  } finally {
    over.abort();
  }
}
