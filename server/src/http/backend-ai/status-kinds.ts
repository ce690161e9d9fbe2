import type { SessionKind } from '../../domain/sessions/session-store.ts';
import type { SessionState } from '../../domain/sessions/session.ts';
import { isFinal, TRANSITIONS } from '../../domain/sessions/lifecycle.ts';
import { Refusal } from './refusal.ts';

const ALIVE = (Object.keys(TRANSITIONS) as SessionState[]).filter((state) => !isFinal(state));
const steady = (...states: SessionState[]): SessionKind => ({ states, ending: false });

/** Which sessions have which of their statuses: what `statusOf` says of one, for looking up many. */
const KINDS: Readonly<Record<string, readonly SessionKind[]>> = {
  PENDING: [steady('pending')],
  SCHEDULED: [steady('scheduled')],
  PULLING: [steady('pulling')],
  PREPARING: [steady('preparing')],
  // With those that lack a container: most clients know of no other word.
  RUNNING: [{ ...steady('running'), restartAsked: false }],
  RUNNING_DEGRADED: [{ ...steady('running'), restartAsked: false, degraded: true }],
  RESTARTING: [steady('restarting'), { ...steady('running'), restartAsked: true }],
  SUSPENDED: [steady('pausing', 'paused')],
  TERMINATING: [{ states: ALIVE, ending: true }, steady('terminating')],
  TERMINATED: [{ states: ['terminated'] }],
  CANCELLED: [{ states: ['cancelled'] }],
  ERROR: [{ states: ['error'] }],
  // Words of theirs for what does not happen here.
  BUILDING: [],
  PREPARED: [],
  CREATING: [],
  RESIZING: [],
};

/** "RUNNING" or "RUNNING,PENDING"; null for nothing, which means all. */
export function kindsOf(statuses: string | undefined): readonly SessionKind[] | null {
  if (statuses === undefined || statuses.trim() === '') return null;
  return statuses.split(',').flatMap((word) => {
    const name = word.trim().toUpperCase();
    const kinds = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (kinds !== undefined) return kinds;
    throw new Refusal('invalid-api-params', `"${word.trim()}" is no status of a session: there are ${Object.keys(KINDS).join(', ')}`);
  });
}
