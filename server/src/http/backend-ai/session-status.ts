import { isDegraded } from '../../domain/sessions/container-view.ts';
import { isFinal } from '../../domain/sessions/lifecycle.ts';
import type { Session, SessionState, WaitingFor } from '../../domain/sessions/session.ts';

const STATUSES = {
  pending: 'PENDING',
  scheduled: 'SCHEDULED',
  pulling: 'PULLING',
  preparing: 'PREPARING',
  running: 'RUNNING',
  // Theirs is reserved for just this, and no client has a word for the way there.
  pausing: 'SUSPENDED',
  paused: 'SUSPENDED',
  restarting: 'RESTARTING',
  terminating: 'TERMINATING',
  terminated: 'TERMINATED',
  cancelled: 'CANCELLED',
  error: 'ERROR',
} as const satisfies Record<SessionState, string>;
export type Status = (typeof STATUSES)[SessionState] | 'RUNNING_DEGRADED';

/** What was asked for counts as begun, as it does with them: an ended wish is shown before the reconciler has taken it up. */
export function statusOf(session: Session): Status {
  if (isFinal(session.state)) return STATUSES[session.state];
  if (session.wanted === 'terminated') return 'TERMINATING';
  if (session.state === 'running' && session.restartWish > session.restartServed) return 'RESTARTING';
  return isDegraded(session) ? 'RUNNING_DEGRADED' : STATUSES[session.state];
}

/** It runs, all of it or not. */
export const isUp = (session: Session): boolean => statusOf(session) === 'RUNNING' || statusOf(session) === 'RUNNING_DEGRADED';

export const statusOfState = (state: SessionState): Status => STATUSES[state];

/** Their word for why it is in this status; empty where there is nothing to say. */
export function statusInfo(session: Session): string {
  const { state, waiting } = session;
  if (state === 'pending' && session.wanted !== 'terminated') return waitingInfo(waiting);
  if (state === 'scheduled') return 'scheduled';
  if (state === 'restarting') return 'restarting';
  return isFinal(state) || session.wanted === 'terminated' || state === 'terminating' ? endReason(session) : '';
}

function waitingInfo(waiting: WaitingFor | null): string {
  if ((waiting?.holds ?? []).length > 0) return 'predicate-checks-failed';
  return waiting !== null && waiting.reasons.length > 0 ? 'no-available-instances' : '';
}

const BY_CAUSE: Readonly<Record<string, string>> = {
  'dependency-failed': 'task-cancelled',
  'node-lost': 'agent-termination',
  'engine-restarted': 'agent-termination',
  evicted: 'killed-by-event',
  'out-of-memory': 'killed-by-event',
};

function endReason({ ending, wanted, type, startedAt }: Session): string {
  const code = ending?.cause?.code;
  if (code === 'timed-out' && ending?.state === 'cancelled') return 'pending-timeout';
  if (code === 'timed-out' && startedAt !== null) return type === 'batch' ? 'task-timeout' : 'restart-timeout';
  if (code !== undefined) return BY_CAUSE[code] ?? (startedAt === null ? 'failed-to-start' : 'anomaly-detected');
  if (wanted === 'terminated') return 'user-requested';
  if (ending === null) return '';
  return type === 'batch' ? 'task-finished' : 'self-terminated';
}
