import { resultOf } from './result.ts';
import type { Session } from './session.ts';

export type EndWord = 'cancelled' | 'success' | 'failure' | 'terminated';
type Ended = Pick<Session, 'type' | 'state' | 'ending' | 'startedAt'>;

/** How the end of a session is told: what never ran was cancelled; of a batch session its result comes first. */
export function endWords(session: Ended): readonly EndWord[] {
  if (session.state === 'cancelled' || !hasRun(session)) return ['cancelled'];
  const result = resultOf(session);
  return result === null ? ['terminated'] : [result, 'terminated'];
}

/** Its process ran, if only so briefly that nobody saw it run. */
function hasRun({ startedAt, ending }: Ended): boolean {
  if (startedAt !== null || ending?.finished === true) return true;
  return ending !== null && ending.cause !== null && ending.exitCode !== null;
}
