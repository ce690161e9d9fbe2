import type { SessionStatistics } from '@berth/contract';
import type { Session } from '../domain/sessions/session.ts';
import { presentStatistics, type LiveStatistics } from '../domain/sessions/statistics.ts';

/** Counted now where it runs and its engine answers at once; else as last counted. */
export async function readStatistics(statistics: LiveStatistics, session: Session): Promise<SessionStatistics> {
  const counted = await statistics.live(session);
  const { id, name } = session;
  return { id, name, live: counted !== undefined, statistics: presentStatistics(counted ?? session.statistics) };
}

/** The session with what it has used up to now. */
export const withLiveStatistics = async (statistics: LiveStatistics, session: Session): Promise<Session> => ({
  ...session,
  statistics: (await statistics.live(session)) ?? session.statistics,
});
