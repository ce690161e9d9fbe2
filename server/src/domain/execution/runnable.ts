import { ProblemError } from '@berth/contract';
import type { Session } from '../sessions/session.ts';

/** Code can be run in it now: it runs, and nobody has asked for anything else. */
export const isRunnable = ({ state, wanted, restartWish, restartServed }: Session): boolean =>
  state === 'running' && wanted === 'running' && restartWish <= restartServed;

export function refuseUnlessRunnable(session: Session): void {
  if (isRunnable(session)) return;
  const { name, state, wanted, reason } = session;
  const detail =
    state === 'running'
      ? `${name} is being ${wanted === 'running' ? 'restarted' : wanted === 'paused' ? 'paused' : 'stopped'}`
      : `${name} is ${state} (${reason})`;
  throw new ProblemError('wrong-state', `${detail}: code runs in a running session only${state === 'paused' ? '; resume it first' : ''}`);
}
