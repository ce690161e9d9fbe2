import { ProblemError } from '@berth/contract';
import { batchCommands, type BatchOptions } from './batch-commands.ts';
import type { RunStep } from './run.ts';

export interface AskedStep {
  readonly mode: RunStep['mode'];
  readonly code: string;
  /** Null: a new run, whose id the server makes. */
  readonly runId: string | null;
  readonly batch: BatchOptions;
  readonly timeoutMs: number | null;
}

/** What is asked, checked. Throws ProblemError where a run that should go on is not named, or a batch has nothing to do. */
export function runStepOf(asked: AskedStep, newId: () => string): RunStep {
  const { mode, code, timeoutMs } = asked;
  if (mode === 'query') return { mode, runId: asked.runId ?? newId(), code, timeoutMs };
  if (mode === 'batch') return { mode, runId: asked.runId ?? newId(), commands: batchCommands(asked.batch), timeoutMs };
  if (asked.runId === null) {
    throw new ProblemError(
      'invalid-field',
      `runId is missing: "${mode}" is about a run that goes on; send the id that its first answer gave`,
      {
        field: 'runId',
      },
    );
  }
  return mode === 'input' ? { mode, runId: asked.runId, text: code } : { mode, runId: asked.runId };
}
