import { z } from 'zod';
import { hasRunEnded, lostRun, type RunAnswer, type RunStep } from '../../domain/execution/run.ts';
import { runStepOf } from '../../domain/execution/run-step.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { Bell } from '../bell.ts';
import { check } from '../check.ts';
import type { OpenSocket } from '../open-socket.ts';
import type { HttpParts } from '../parts.ts';
import { sessionEnd } from '../session-end.ts';
import { executionResult } from './execution-result.ts';
import { mergeParameters } from './parameters.ts';
import { asRefusal } from './refusal.ts';

/** Output is held back so long, and an answer is waited for so long: milliseconds. */
const PATIENCE = { waitMs: 2_000, flushMs: 200 };
const MOST_UNREAD = 16;

const Asked = z.object({
  mode: z.enum(['query', 'batch'], 'it must be query or batch'),
  code: z.string().default(''),
  options: z.object({ clean: z.string().nullish(), build: z.string().nullish(), exec: z.string().nullish() }).default({}),
});

type Parts = Pick<HttpParts, 'executor' | 'uses' | 'sessions' | 'notifications' | 'newId' | 'now'>;

/** One run over one WebSocket: the first message says what, every answer is sent as it comes, and what the run asks for is typed back. */
export class ExecuteSocket {
  readonly #parts: Parts;
  readonly #session: Session;
  readonly #socket: OpenSocket;
  readonly #unread: string[] = [];
  readonly #bell = new Bell();
  /** Fires when the session ends, or can be looked at no more. */
  readonly #over = new AbortController();
  /** Fires then, and when nobody listens any more. */
  readonly #signal: AbortSignal;

  constructor(parts: Parts, session: Session, socket: OpenSocket) {
    this.#parts = parts;
    this.#session = session;
    this.#socket = socket;
    this.#signal = AbortSignal.any([socket.gone, this.#over.signal]);
    socket.receive((data) => {
      if (this.#unread.length >= MOST_UNREAD) return socket.close(1008, 'more than the run takes');
      this.#unread.push(data.toString('utf8'));
      this.#bell.ring();
    });
  }

  async run(): Promise<void> {
    const { sessions, notifications } = this.#parts;
    const { gone } = this.#socket;
    const over = (): void => void (gone.aborted || this.#over.abort());
    sessionEnd({ sessions, notifications }, this.#session.id, gone).then(over, over);
    try {
      const first = await this.#next();
      if (first !== undefined) await this.#follow(this.#begin(first));
      this.#socket.close(1000, 'the run has ended');
    } catch (error) {
      const { message, status } = asRefusal(error);
      void this.#say({ status: 'error', msg: message });
      if (status === 500) throw error;
      this.#socket.close(1008, 'error');
    }
  }

  #begin(text: string): RunStep & { readonly mode: 'query' | 'batch' } {
    const { mode, code, options } = check(Asked, mergeParameters({}, Buffer.from(text)));
    const step = runStepOf({ mode, code, runId: null, batch: options, timeoutMs: null }, this.#parts.newId);
    if (step.mode === 'query' || step.mode === 'batch') return step;
    throw new Error(`${mode} began a run as ${step.mode}`);
  }

  async #follow(begun: RunStep): Promise<void> {
    const { runId } = begun;
    let answer: RunAnswer | undefined;
    try {
      for (let step: RunStep | undefined = begun; step !== undefined && !this.#signal.aborted; step = await this.#step(answer)) {
        answer = await this.#ask(step);
        if (answer !== undefined) await this.#say(executionResult(answer));
      }
    } finally {
      const goesOn = answer === undefined || !hasRunEnded(answer);
      if (goesOn && !this.#over.signal.aborted) await this.#parts.executor.interrupt(this.#session, runId);
    }
    if (this.#over.signal.aborted && (answer === undefined || !hasRunEnded(answer))) await this.#say(executionResult(lostRun(runId)));
  }

  /** undefined: nobody waits for it any more. */
  async #ask(step: RunStep): Promise<RunAnswer | undefined> {
    const { executor, uses, now } = this.#parts;
    if (step.mode !== 'continue') uses.executed(this.#session.id, now());
    try {
      return await executor.run(this.#session, step, { ...PATIENCE, signal: this.#signal });
    } catch (error) {
      if (this.#signal.aborted) return undefined;
      throw error;
    }
  }

  /** What follows an answer; undefined: nothing does. */
  async #step(answer: RunAnswer | undefined): Promise<RunStep | undefined> {
    if (answer === undefined || hasRunEnded(answer)) return undefined;
    if (answer.status !== 'waiting-input') return { mode: 'continue', runId: answer.runId };
    const text = await this.#next();
    return text === undefined ? undefined : { mode: 'input', runId: answer.runId, text };
  }

  /** The next message; undefined when there will be none. */
  async #next(): Promise<string | undefined> {
    while (this.#unread.length === 0 && !this.#signal.aborted) await this.#bell.wait(60_000, this.#signal);
    return this.#signal.aborted ? undefined : this.#unread.shift();
  }

  #say(message: object): Promise<void> {
    return this.#socket.send(JSON.stringify(message));
  }
}
