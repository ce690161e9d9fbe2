import { ProblemError } from '@berth/contract';
import type { SessionStore } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';

/** The sessions that a new one is to follow, by name, id or beginning of an id, among its owner's. */
export function findDependencies(sessions: SessionStore, ownerId: string, texts: readonly string[]): Promise<readonly Session[]> {
  return Promise.all(
    texts.map(async (text) => {
      const found = await sessions.find(ownerId, text);
      if (found === 'ambiguous')
        throw new ProblemError('ambiguous-id', `"${text}" fits several sessions: give more of its id`, { field: 'dependencies' });
      if (found !== undefined) return found;
      throw new ProblemError(
        'invalid-field',
        `there is no session "${text}" that this one could follow: name one of your own batch sessions`,
        {
          field: 'dependencies',
        },
      );
    }),
  );
}
