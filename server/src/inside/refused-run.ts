import { ProblemError } from '@berth/contract';
import { lostRun, type RunAnswer } from '../domain/execution/run.ts';

export const REFUSALS = ['unknown-run', 'id-in-use', 'no-input-wanted', 'too-many-runs'] as const;
export type RunRefusal = (typeof REFUSALS)[number];

/** What an agent refuses, told to people; a run that it does not know is no mistake of theirs, but lost. */
export function refusedRun(refusal: RunRefusal, runId: string): RunAnswer {
  switch (refusal) {
    case 'unknown-run':
      return lostRun(runId);
    case 'id-in-use':
      throw new ProblemError('invalid-field', `"${runId}" is the id of other code that has not ended: choose another, or none`, {
        field: 'runId',
      });
    case 'no-input-wanted':
      throw new ProblemError('wrong-state', `the run ${runId} does not wait for input now: ask how it goes on by "continue"`);
    case 'too-many-runs':
      throw new ProblemError('too-many-requests', 'too much code waits in this session: wait until some has ended, or interrupt it');
  }
}
