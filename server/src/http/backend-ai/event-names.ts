import { endWords } from '../../domain/sessions/end-words.ts';
import { isFinal } from '../../domain/sessions/lifecycle.ts';
import type { StoredEvent } from '../../domain/sessions/session-store.ts';
import type { Session, SessionState } from '../../domain/sessions/session.ts';

/** What our events are called there, in order: of the session (`session_…`) and of its container (`kernel_…`). */
export function eventNames(event: Pick<StoredEvent, 'kind' | 'state'>, session: Session): readonly string[] {
  if (event.kind === 'created') return ['session_enqueued'];
  if (event.kind !== 'state') return [];
  return isFinal(event.state) ? endNames(session) : (NAMES[event.state] ?? []);
}

const both = (word: string): readonly string[] => [`kernel_${word}`, `session_${word}`];

const NAMES: Partial<Record<SessionState, readonly string[]>> = {
  scheduled: ['session_scheduled'],
  pulling: both('pulling'),
  preparing: [...both('preparing'), ...both('creating')],
  running: both('started'),
  terminating: both('terminating'),
};

function endNames(session: Session): readonly string[] {
  const words = endWords(session);
  return words.includes('cancelled') ? both('cancelled') : ['kernel_terminated', ...words.map((word) => `session_${word}`)];
}
