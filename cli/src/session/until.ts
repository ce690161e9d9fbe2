import type { Session, SessionEvent } from '@berth/contract';
import type { Connection } from '../connection/connect.ts';
import { patiently } from '../connection/patiently.ts';
import { watchEvents } from '../connection/watch-events.ts';
import { hasEnded } from './end-code.ts';

export type Condition = 'running' | 'paused' | 'ended';

export const meets = (session: Pick<Session, 'state'>, condition: Condition): boolean =>
  condition === 'ended' ? hasEnded(session) : session.state === condition;

/** Answers the session when it meets the condition, or has ended and never will, or `signal` says to wait no longer. */
export async function until(
  connection: Connection,
  session: Session,
  {
    condition,
    isServed = () => true,
    signal,
  }: { condition: Condition; isServed?: (now: Session, asked: Session) => boolean; signal?: AbortSignal },
): Promise<Session> {
  const settled = (now: Session): boolean => (meets(now, condition) && isServed(now, session)) || hasEnded(now);
  if (settled(session)) return session;
  const current = (): Promise<Session> => patiently(() => connection.client.getSession({ params: { session: session.id } }), signal);
  for await (const event of watchEvents(connection, { session: session.id, ...(signal ? { signal } : {}) })) {
    if (!mayMeet(event, condition)) continue;
    // The stream tells the past first: only what is true now counts.
    const now = await current();
    if (settled(now)) return now;
  }
  return current();
}

const mayMeet = (event: SessionEvent, condition: Condition): boolean =>
  event.kind === 'state' && (meets(event, condition) || hasEnded(event));
