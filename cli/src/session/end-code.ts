import { FINAL_STATES, type Session } from '@berth/contract';
import { EXIT } from '../failure.ts';

const BY_CAUSE: Readonly<Record<string, number>> = {
  'command-not-found': 127,
  'not-executable': 126,
  'no-shell': 127,
  'out-of-memory': 137,
  'timed-out': EXIT.timeout,
};

export const hasEnded = (session: Pick<Session, 'state'>): boolean => FINAL_STATES.some((final) => final === session.state);

/** What the command line ends with for a session that has ended: its own code, or one that fits the cause. */
export function endCode(session: Session): number {
  if (session.exitCode !== null) return session.exitCode;
  if (session.cause !== null) return BY_CAUSE[session.cause.code] ?? EXIT.failure;
  return session.state === 'terminated' ? EXIT.ok : EXIT.failure;
}
