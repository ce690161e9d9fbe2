import { ProblemError } from '@berth/contract';
import type { Executor, Patience } from '../domain/execution/executor.ts';
import { isRunnable, refuseUnlessRunnable } from '../domain/execution/runnable.ts';
import { lostRun, type RunAnswer, type RunStep } from '../domain/execution/run.ts';
import { containerOf } from '../domain/sessions/container-plan.ts';
import type { SessionStore } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';
import type { ContainerRef, Runtime } from '../runtimes/runtime.ts';
import { NoAnswer } from './conversation.ts';
import { nameInside, type Language } from './language.ts';
import { PythonAgent } from './python-agent.ts';
import { ShellRuns } from './shell-runs.ts';

/** Beyond the time that a question may take by itself: clients give up after five seconds in all. */
const SLACK_MS = 2400;
const AT_ONCE_MS = 2000;
const REMEMBERED = 1000;

export interface ExecutorParts {
  readonly runtime: Runtime;
  readonly sessions: Pick<SessionStore, 'get'>;
  readonly newId: () => string;
}

/** Runs code in containers by nothing but exec: in Python where it is there, else in a shell. */
export class ContainerExecutor implements Executor {
  readonly #parts: ExecutorParts;
  readonly #languages: readonly Language[];
  /** What a container has, so that it is looked for once. */
  readonly #known = new Map<string, Language>();

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    this.#languages = [new PythonAgent(parts.runtime), new ShellRuns(parts.runtime, parts.newId)];
  }

  async run(session: Session, step: RunStep, patience: Patience): Promise<RunAnswer> {
    refuseUnlessRunnable(session);
    const late = AbortSignal.timeout(patience.waitMs + SLACK_MS);
    const signal = AbortSignal.any([patience.signal, late]);
    try {
      return await this.#inside(session, (language, ref) => language.run(ref, step, { ...patience, signal }));
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      if (patience.signal.aborted)
        throw new ProblemError('shutting-down', 'nobody waits for this answer any more: ask again', { cause: error });
      if (await this.#hasGone(session, late)) return lostRun(step.runId);
      // Nothing is known to have changed; what was begun may not have been.
      if (late.aborted && step.mode === 'continue') return { ...lostRun(step.runId), status: 'continued', exitCode: null };
      throw inWords(session, error, late);
    }
  }

  async interrupt(session: Session, runId: string | null): Promise<void> {
    refuseUnlessRunnable(session);
    const late = AbortSignal.timeout(AT_ONCE_MS + SLACK_MS);
    try {
      await this.#inside(session, (language, ref) => language.interrupt(ref, runId, late));
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      if (!(await this.#hasGone(session, late))) throw inWords(session, error, late);
    }
  }

  async complete(session: Session, line: string): Promise<readonly string[]> {
    refuseUnlessRunnable(session);
    const late = AbortSignal.timeout(AT_ONCE_MS + SLACK_MS);
    try {
      return await this.#inside(session, (language, ref) => language.complete(ref, line, late));
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      if (await this.#hasGone(session, late)) return [];
      throw inWords(session, error, late);
    }
  }

  async #inside<T>(session: Session, ask: (language: Language, ref: ContainerRef) => Promise<T>): Promise<T> {
    const ref = containerOf(session);
    const known = this.#known.get(nameInside(ref));
    if (known !== undefined) return ask(known, ref);
    for (const language of this.#languages) {
      try {
        const answer = await ask(language, ref);
        this.#remember(ref, language);
        return answer;
      } catch (error) {
        if (error instanceof ProblemError) this.#remember(ref, language);
        if (!(error instanceof NoAnswer) || !error.isMissing) throw error;
      }
    }
    throw new ProblemError(
      'wrong-state',
      `in ${session.name} there is neither python3 (3.7 or newer) nor sh: its image can run no code sent to it`,
    );
  }

  #remember(ref: ContainerRef, language: Language): void {
    this.#known.set(nameInside(ref), language);
    const oldest = this.#known.keys().next().value;
    if (this.#known.size > REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }

  /** It ended, was paused or is started again, whether the table says so yet or only the engine. */
  async #hasGone(session: Session, late: AbortSignal): Promise<boolean> {
    const now = await this.#parts.sessions.get(session.id);
    if (now === undefined || !isRunnable(now) || now.generation !== session.generation || now.restarts !== session.restarts) return true;
    // An engine that has not answered so far is not waited for again.
    return !late.aborted && (await this.#parts.runtime.inspect(containerOf(session))).phase !== 'running';
  }
}

function inWords({ name }: Session, error: unknown, late: AbortSignal): unknown {
  if (late.aborted) return new ProblemError('engine-unavailable', `${name} does not answer in time: try again`, { cause: error });
  if (!(error instanceof NoAnswer)) return error;
  const why = error.message === '' ? `what Berth runs in it ended with exit code ${error.exitCode ?? 'unknown'}` : error.message;
  return new ProblemError('wrong-state', `code cannot be run in ${name}: ${why}`, { cause: error });
}
