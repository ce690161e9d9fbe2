import type { ReconcilerStore } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';
import { LEASE_MS } from './lease.ts';
import type { Stepper } from './stepper.ts';

export interface LoopLog {
  error(fields: object, message: string): void;
}

interface Active {
  hint: AbortController;
  again: boolean;
}

const AT_ONCE = 64;
const IDLE_LOOK_MS = 1_000;
const RETRY_MS = 500;
/** The database's clock and ours tick in different milliseconds. */
const CLOCKS_APART_MS = 5;

/**
 * Claims sessions that are due and settles them, several at once, never one twice in this process. The table is timer, queue,
 * retry delay and crash recovery in one column; everything else only makes a session due sooner.
 */
export class Loop {
  private readonly store: ReconcilerStore;
  private readonly stepper: Stepper;
  private readonly log: LoopLog;
  private readonly active = new Map<string, Active>();
  private timer: NodeJS.Timeout | undefined;
  private claiming = false;
  private nudged = false;
  private stopped = true;
  private idle: (() => void) | undefined;

  constructor(store: ReconcilerStore, stepper: Stepper, log: LoopLog) {
    this.store = store;
    this.stepper = stepper;
    this.log = log;
    // Later ones are found by the look that is taken every second anyway.
    stepper.onLater = (inMs) => {
      if (inMs < IDLE_LOOK_MS) setTimeout(() => this.nudge(), inMs + CLOCKS_APART_MS);
    };
  }

  /** Looks at every live session at once: what a server that was killed had claimed need not wait for its lease to end. */
  async start(): Promise<void> {
    const live = await this.store.live();
    await this.store.wake(live.map(({ id }) => id));
    this.stopped = false;
    this.nudge();
  }

  /** Begins nothing new and waits for what is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const { hint } of this.active.values()) hint.abort();
    if (this.active.size > 0 || this.claiming) await new Promise<void>((resolve) => (this.idle = resolve));
  }

  /** Something is due now. */
  nudge(): void {
    this.nudged = true;
    if (!this.claiming && !this.stopped) void this.claim();
  }

  /** A request has made this session due. */
  requested(sessionId: string): void {
    const active = this.active.get(sessionId);
    active?.hint.abort();
    if (active !== undefined) active.again = true;
    this.nudge();
  }

  /** Something happened to this session: a hint from the engine, a request or another server. */
  async hint(sessionId: string): Promise<void> {
    const active = this.active.get(sessionId);
    if (active !== undefined) {
      active.again = true;
      active.hint.abort();
      return;
    }
    await this.store.wake([sessionId]);
    this.nudge();
  }

  private async claim(): Promise<void> {
    this.claiming = true;
    clearTimeout(this.timer);
    let lookInMs = IDLE_LOOK_MS;
    try {
      while (this.nudged && !this.stopped && this.active.size < AT_ONCE) {
        this.nudged = false;
        const room = AT_ONCE - this.active.size;
        const due = await this.store.claimDue(room, LEASE_MS);
        for (const session of due) this.take(session);
        if (due.length === room) this.nudged = true;
      }
    } catch (error) {
      lookInMs = RETRY_MS;
      this.log.error({ err: error }, 'the reconciler could not reach the database; trying again');
    } finally {
      this.claiming = false;
      this.schedule(lookInMs);
    }
  }

  private schedule(inMs: number): void {
    if (this.stopped) {
      this.finishIfIdle();
      return;
    }
    if (this.nudged && this.active.size < AT_ONCE) void this.claim();
    else this.timer = setTimeout(() => this.nudge(), inMs);
  }

  private take(session: Session): void {
    const already = this.active.get(session.id);
    if (already !== undefined) {
      already.again = true;
      return;
    }
    void this.settle(session);
  }

  private async settle(session: Session): Promise<void> {
    const active: Active = { hint: new AbortController(), again: false };
    this.active.set(session.id, active);
    try {
      await this.stepper.settle(session, active.hint.signal);
    } catch (error) {
      this.log.error({ err: error, sessionId: session.id }, 'a step of the reconciler failed; the session is looked at again');
      await this.store.wake([session.id]).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    } finally {
      this.active.delete(session.id);
      if (active.again && !this.stopped) void this.hint(session.id).catch(() => undefined);
      if (this.stopped) this.finishIfIdle();
      else if (this.nudged) this.nudge();
    }
  }

  private finishIfIdle(): void {
    if (this.active.size === 0 && !this.claiming) this.idle?.();
  }
}
