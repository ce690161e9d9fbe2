import { isFinal } from '../../domain/sessions/lifecycle.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { wantRestart, wantTerminated } from '../../domain/sessions/wishes.ts';
import { Refusal } from './refusal.ts';
import { isUp, statusOf } from './session-status.ts';

/** Their rules of what may be destroyed when; one that is going away already may be asked again, because clients do. */
export function destroy(session: Session, forced: boolean): Session {
  const status = statusOf(session);
  if (status === 'TERMINATED' || status === 'CANCELLED') throw gone(session);
  if (!forced && (status === 'SCHEDULED' || status === 'PREPARING' || status === 'ERROR'))
    throw new Refusal('generic-forbidden', `${session.name} is ${status}: wait until it runs, or destroy it with forced=true`);
  return wantTerminated(session);
}

export function restart(session: Session): Session {
  const status = statusOf(session);
  if (isFinal(session.state) && status !== 'ERROR') throw gone(session);
  if (status === 'TERMINATING') throw new Refusal('generic-forbidden', `${session.name} is being terminated: create a new one`);
  if (!isUp(session)) throw new Refusal('invalid-api-params', `${session.name} is ${status}: only a running session can be restarted`);
  return wantRestart(session);
}

const gone = ({ name, state }: Session): Refusal =>
  new Refusal('object-not-found', `${name} is ${state} already`, { title: 'No such session.' });
