import { ProblemError } from '@berth/contract';
import { isFinal } from './lifecycle.ts';
import type { Session } from './session.ts';

/** What requests do: each changes what is wanted and nothing else. The store raises the revision. */
const wish = (session: Session, changes: Partial<Pick<Session, 'wanted' | 'restartWish'>>): Session => ({
  ...session,
  ...changes,
  wish: session.wish + 1,
});

/** Always possible; repeating it, or asking it of a session that has ended, changes nothing. */
export const wantTerminated = (session: Session): Session =>
  isFinal(session.state) || session.wanted === 'terminated' ? session : wish(session, { wanted: 'terminated' });

export function wantPaused(session: Session): Session {
  refuseEnding(session, 'paused');
  if (session.wanted === 'paused') return session;
  if (session.type === 'batch') throw new ProblemError('wrong-state', `${session.name} is a batch session: it can be stopped, not paused`);
  if (session.startedAt === null)
    throw new ProblemError('wrong-state', `${session.name} has not started yet (${session.state}): wait until it runs, or stop it`);
  return wish(session, { wanted: 'paused' });
}

export function wantRunning(session: Session): Session {
  refuseEnding(session, 'resumed');
  return session.wanted === 'running' ? session : wish(session, { wanted: 'running' });
}

export function wantRestart(session: Session): Session {
  refuseEnding(session, 'restarted');
  if (session.state !== 'running' && session.state !== 'restarting') {
    throw new ProblemError('wrong-state', `${session.name} is ${session.state}: only a running session can be restarted`);
  }
  return wish(session, { wanted: 'running', restartWish: session.wish + 1 });
}

/** Its containers go on under the name they were made with; later ones take the new one. */
export const named =
  (name: string) =>
  (session: Session): Session => {
    refuseEnding(session, 'renamed');
    return session.name === name ? session : { ...session, name };
  };

function refuseEnding(session: Session, verb: string): void {
  if (isFinal(session.state) || session.wanted === 'terminated') {
    const what = isFinal(session.state) ? `has ended (${session.reason})` : 'is being stopped';
    throw new ProblemError('wrong-state', `${session.name} ${what} and cannot be ${verb}: create a new one`);
  }
}
