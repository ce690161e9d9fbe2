import { isFinal } from '../../domain/sessions/lifecycle.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { Refusal } from './refusal.ts';
import { statusOf } from './session-status.ts';

/**
 * Those that a text means, among sessions whose id or name begins with it, newest first: the one of that id, else of that
 * name (a live one before those that ended, else the latest), else those of such an id, else those of such a name.
 */
export function meantBy(text: string, candidates: readonly Session[]): readonly Session[] {
  const id = text.toLowerCase();
  const exact = candidates.find((session) => session.id === id);
  if (exact !== undefined) return [exact];
  const named = candidates.filter(({ name }) => name === text);
  const best = named.find(({ state }) => !isFinal(state)) ?? named[0];
  if (best !== undefined) return [best];
  const byId = candidates.filter((session) => session.id.startsWith(id));
  return byId.length > 0 ? byId : candidates.filter(({ name }) => name.startsWith(text));
}

/** The one that is meant; none, or several, are refused. */
export function pickSession(text: string, candidates: readonly Session[]): Session {
  const [first, ...more] = meantBy(text, candidates);
  if (first === undefined) throw new Refusal('object-not-found', `you have no session "${text}"`, { title: 'No such session.' });
  if (more.length === 0) return first;
  throw new Refusal('too-many-sessions-matched', `"${text}" is the beginning of several sessions' ids or names: give more of it`, {
    data: { matches: [first, ...more].map((session) => ({ ...matchOf(session), created_at: session.createdAt.toISOString() })) },
  });
}

export const matchOf = (session: Session): { id: string; name: string; status: string } => ({
  id: session.id,
  name: session.name,
  status: statusOf(session),
});
