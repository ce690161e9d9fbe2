import { ProblemError, type Session as Shown } from '@berth/contract';
import { containerNames } from '../domain/sessions/container-plan.ts';
import type { SessionStore } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';
import type { Caller } from './caller.ts';
import { presentMetadata, presentSession } from './present-session.ts';

/**
 * `metadata`: what it is and how it fares, and ending it: also an administrator's. `content`: what is typed and printed
 * in it, and its life otherwise: the owner's alone. Everybody else hears that there is no such session.
 */
export type Access = 'metadata' | 'content';

export async function findSession(sessions: SessionStore, caller: Caller, request: { text: string; access: Access }): Promise<Session> {
  const { text, access } = request;
  const own = await sessions.find(caller.user.id, text);
  const found = own === undefined && caller.user.role === 'admin' ? await sessions.find(null, text) : own;
  if (found === 'ambiguous') throw new ProblemError('ambiguous-id', `"${text}" is the beginning of several sessions' ids: give more of it`);
  if (found === undefined) {
    throw new ProblemError('not-found', `you have no session "${text}": \`berth session list --all\` shows those there are`, {
      field: 'session',
    });
  }
  if (access === 'content' && found.ownerId !== caller.user.id) {
    throw new ProblemError(
      'forbidden',
      `"${found.name}" is ${found.ownerName}'s: administrators see what it is and can stop it, nothing more`,
    );
  }
  return found;
}

/** One of its containers, by its name. */
export function containerNamed({ name, spec }: Session, container: string): string {
  const there = containerNames(spec);
  if (there.includes(container)) return container;
  throw new ProblemError('not-found', `"${name}" has no container "${container}": it has ${there.join(', ')}`, { field: 'container' });
}

export const present = (session: Session, caller: Caller): Shown =>
  session.ownerId === caller.user.id ? presentSession(session) : presentMetadata(session);
