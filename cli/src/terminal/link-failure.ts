import { ProblemError } from '@berth/contract';

/** The server is not there, or not yet or no longer: worth trying again. */
export function isGone(error: unknown): boolean {
  if (error instanceof ProblemError) return error.code === 'shutting-down' || error.code === 'engine-unavailable';
  return (
    error instanceof Error &&
    ('code' in error || /handshake has timed out|socket hang up|before the connection was established/.test(error.message))
  );
}

/** There is nothing left to attach to. */
export const isEnded = (error: unknown): boolean => error instanceof ProblemError && error.code === 'wrong-state';
