import type { Printed } from './console.ts';

/**
 * `clean-finished`, `build-finished`: a step of a batch has ended, the next one goes on by itself. `lost`: there is no such
 * run any more, because the session ended or was started again under it, or its end was told already.
 */
export type RunStatus = 'continued' | 'waiting-input' | 'clean-finished' | 'build-finished' | 'finished' | 'exec-timeout' | 'lost';

/** What is told of a run: everything since the last time, up to the limit of one answer. */
export interface RunAnswer {
  readonly runId: string;
  readonly status: RunStatus;
  /** Null until it, or a step of it, has ended. */
  readonly exitCode: number | null;
  /** The code raised, or did not compile: the exit code is 0 all the same. */
  readonly raised: boolean;
  /** Of the input that it waits for. */
  readonly isPassword: boolean;
  readonly console: readonly Printed[];
}

/** What a session's run can be asked. Of a batch each step is a shell command, or null to leave it out. */
export type RunStep =
  | { readonly mode: 'query'; readonly runId: string; readonly code: string; readonly timeoutMs: number | null }
  | { readonly mode: 'batch'; readonly runId: string; readonly commands: BatchCommands; readonly timeoutMs: number | null }
  | { readonly mode: 'input'; readonly runId: string; readonly text: string }
  | { readonly mode: 'continue'; readonly runId: string };

export interface BatchCommands {
  readonly clean: string | null;
  readonly build: string | null;
  readonly exec: string | null;
}

export const hasRunEnded = ({ status }: Pick<RunAnswer, 'status'>): boolean =>
  status === 'finished' || status === 'exec-timeout' || status === 'lost';

/** As a shell tells of what was interrupted. */
export const LOST_EXIT_CODE = 130;

export const lostRun = (runId: string): RunAnswer => ({
  runId,
  status: 'lost',
  exitCode: LOST_EXIT_CODE,
  raised: false,
  isPassword: false,
  console: [],
});
