import type { Session } from '../sessions/session.ts';
import type { RunAnswer, RunStep } from './run.ts';

export interface Patience {
  /** Milliseconds after which there is an answer in any case. */
  readonly waitMs: number;
  /** Milliseconds for which output may be held back, so that an answer brings more of it. */
  readonly flushMs: number;
  /** Fires when nobody waits any more: what is then underway stays for who asks next. */
  readonly signal: AbortSignal;
}

/** Running code in sessions. What was started goes on whoever asks, and whichever server is asked. */
export interface Executor {
  /**
   * Begins a run, or goes on with one, and answers as soon as there is something to tell. A new run waits until those before
   * it have ended; a repeated request for it begins nothing twice. ProblemError: wrong-state (the session does not run, no
   * input is wanted), invalid-field (the id is another run's), too-many-requests.
   */
  run(session: Session, step: RunStep, patience: Patience): Promise<RunAnswer>;
  /** The run of this id, or the one that goes on. Nothing to interrupt is no failure. */
  interrupt(session: Session, runId: string | null): Promise<void>;
  /** What the last word of `line` may become; nothing while code runs, or in a session with a shell only. */
  complete(session: Session, line: string): Promise<readonly string[]>;
}
