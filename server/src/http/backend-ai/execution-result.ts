import type { RunAnswer } from '../../domain/execution/run.ts';

/** What they say of a run. One that was lost has ended for them, as if it was interrupted. */
export function executionResult({ runId, status, exitCode, isPassword, console }: RunAnswer) {
  return {
    runId,
    status: status === 'lost' ? 'finished' : status,
    exitCode,
    console: console.map(({ stream, text }) => [stream, text] as const),
    options: status === 'waiting-input' ? { is_password: isPassword } : {},
    files: [],
  };
}
