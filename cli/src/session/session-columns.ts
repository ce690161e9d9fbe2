import type { Session } from '@berth/contract';
import { age, imageWords, reservedWords, shortIdAmong, stateWords } from '../output/words.ts';

/** The columns of a list of sessions. */
export function sessionColumns(sessions: readonly Session[], now: Date) {
  const ids = sessions.map(({ id }) => id);
  return [
    { title: 'ID', of: (session: Session) => shortIdAmong(session.id, ids) },
    { title: 'NAME', of: (session: Session) => session.name },
    { title: 'TYPE', of: (session: Session) => session.type },
    { title: 'STATE', of: stateWords },
    { title: 'IMAGE', of: (session: Session) => imageWords(session.image.reference) },
    { title: 'RESOURCES', of: (session: Session) => reservedWords(session) ?? 'unreserved' },
    { title: 'NODE', of: (session: Session) => session.node ?? '-' },
    { title: 'AGE', of: (session: Session) => age(session.createdAt, now) },
  ];
}
