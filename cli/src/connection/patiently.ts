import { ProblemError } from '@berth/contract';
import { Failure } from '../failure.ts';
import { backoff } from './backoff.ts';

/** Asks again while the server is not there, for a minute: for questions in the middle of something that survives its restart. */
export async function patiently<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const retry = backoff();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isAway(error) || !(await retry.pause(signal))) throw error;
    }
  }
}

const isAway = (error: unknown): boolean =>
  (error instanceof Failure && error.code === 'server-unreachable') || (error instanceof ProblemError && error.code === 'shutting-down');
