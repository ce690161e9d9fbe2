import type { Session, SessionState } from './session.ts';

/** The states and the arrows between them. A failure goes through `terminating` too: what has ended has nothing left on the engine. */
export const TRANSITIONS = {
  pending: ['scheduled', 'paused', 'terminating', 'cancelled'],
  scheduled: ['pulling', 'preparing', 'terminating'],
  pulling: ['preparing', 'terminating'],
  preparing: ['running', 'terminating'],
  running: ['pausing', 'restarting', 'terminating'],
  pausing: ['paused', 'terminating'],
  paused: ['pending', 'terminating'],
  restarting: ['running', 'terminating'],
  terminating: ['terminated', 'cancelled', 'error'],
  terminated: [],
  cancelled: [],
  error: [],
} as const satisfies Record<SessionState, readonly SessionState[]>;

export const isFinal = (state: SessionState): boolean => TRANSITIONS[state].length === 0;

/** States in which the granted CPU is in use; a frozen session has given it back. */
export const HOLDS_CPU: readonly SessionState[] = ['scheduled', 'pulling', 'preparing', 'running', 'pausing', 'restarting', 'terminating'];

export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
  constructor(session: Session, to: SessionState) {
    super(`session ${session.id}: ${session.state} -> ${to} is not an arrow of the state table`);
  }
}

/** What a move may change besides the state itself. */
export type Changes = Partial<
  Pick<
    Session,
    | 'grant'
    | 'imageDigest'
    | 'imagePorts'
    | 'processStartedAt'
    | 'subs'
    | 'frozen'
    | 'willStopAt'
    | 'ending'
    | 'logsKept'
    | 'waiting'
    | 'timeline'
    | 'restarts'
    | 'restartServed'
    | 'lastLog'
    | 'commit'
    | 'startedAt'
    | 'endedAt'
    | 'generation'
  >
>;

/** The one way a state changes. The store writes the result where the revision is still the old one. */
export function moveTo(session: Session, to: SessionState, now: Date, changes: Changes & { readonly reason: string }): Session {
  const allowed: readonly SessionState[] = TRANSITIONS[session.state];
  if (!allowed.includes(to)) throw new IllegalTransition(session, to);
  return { ...session, ...changes, revision: session.revision + 1, state: to, stateSince: now, attempts: 0 };
}

/** Progress within a state: the reason, the timeline, the number of tries. */
export function note(session: Session, changes: Changes & { reason?: string; attempts?: number }): Session {
  return { ...session, ...changes, revision: session.revision + 1 };
}
