import { CONSOLE_LIMIT, merged, type Printed } from '../../src/domain/execution/console.ts';
import { hasRunEnded, type RunAnswer, type RunStep } from '../../src/domain/execution/run.ts';
import { runStepOf, type AskedStep } from '../../src/domain/execution/run-step.ts';
import { exampleSession } from '../../src/domain/sessions/example-session.ts';
import { ContainerExecutor } from '../../src/inside/container-executor.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { newId } from '../../src/uuid.ts';

export const SESSION = exampleSession({ state: 'running', generation: 1 });

export interface Ran extends RunAnswer {
  readonly stdout: string;
  readonly stderr: string;
  /** Every answer on the way, the last one too. */
  readonly answers: readonly RunAnswer[];
}

/** Somebody who runs code in the one session there is, through a server of her own. */
export class Coder {
  readonly executor: ContainerExecutor;
  session = SESSION;

  constructor(runtime: Pick<Runtime, 'exec' | 'inspect'>) {
    this.executor = new ContainerExecutor({ runtime: runtime as Runtime, sessions: { get: async () => this.session }, newId });
  }

  /** One question. `waitMs`: how long it may take where there is nothing to tell. */
  ask(asked: Partial<AskedStep>, { waitMs = 1000, signal }: { waitMs?: number; signal?: AbortSignal } = {}): Promise<RunAnswer> {
    const step: RunStep = runStepOf({ mode: 'query', code: '', runId: null, batch: {}, timeoutMs: null, ...asked }, newId);
    return this.executor.run(SESSION, step, { waitMs, flushMs: 50, signal: signal ?? new AbortController().signal });
  }

  /** Code to its end. */
  async run(code: string, more: Partial<AskedStep> = {}): Promise<Ran> {
    return this.follow(await this.ask({ code, ...more }));
  }

  /** From one answer to the end; what it asks for is answered by `input`. */
  async follow(first: RunAnswer, input: (answer: RunAnswer) => string = () => ''): Promise<Ran> {
    const answers = [first];
    let last = first;
    while (!hasRunEnded(last)) {
      const { runId } = last;
      last = await this.ask(last.status === 'waiting-input' ? { mode: 'input', runId, code: input(last) } : { mode: 'continue', runId });
      answers.push(last);
    }
    const console = merged(answers.flatMap((answer) => answer.console));
    return { ...last, answers, console, stdout: textOf(console, 'stdout'), stderr: textOf(console, 'stderr') };
  }
}

export const textOf = (console: readonly Printed[], stream: Printed['stream']): string =>
  console.map((piece) => (piece.stream === stream ? piece.text : '')).join('');

/** No answer holds more of a stream than it may. */
export const isWithinLimit = ({ console }: RunAnswer): boolean =>
  textOf(console, 'stdout').length <= CONSOLE_LIMIT && textOf(console, 'stderr').length <= CONSOLE_LIMIT;
