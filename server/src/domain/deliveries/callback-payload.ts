import { endWords, type EndWord } from '../sessions/end-words.ts';
import { isFinal } from '../sessions/lifecycle.ts';
import type { StoredEvent } from '../sessions/session-store.ts';
import type { Session, SessionState } from '../sessions/session.ts';

/** The words and field names of docs/callbacks.md: programs depend on them. */
export type CallbackWord = 'enqueued' | 'scheduled' | 'preparing' | 'started' | EndWord;

type Told = Pick<StoredEvent, 'kind' | 'state'>;

const WORDS: Partial<Record<SessionState, CallbackWord>> = { scheduled: 'scheduled', preparing: 'preparing', running: 'started' };

/** What an event is told as, in order; most are not told. The session is as it is now: what has ended changes no more. */
export function callbackWords({ kind, state }: Told, session: Session): readonly CallbackWord[] {
  if (kind === 'created') return ['enqueued'];
  if (kind !== 'state') return [];
  if (isFinal(state)) return endWords(session);
  const word = WORDS[state];
  return word === undefined ? [] : [word];
}

/** The JSON text that is sent. */
export function callbackBody(word: CallbackWord, event: StoredEvent, session: Session): string {
  return JSON.stringify({
    type: 'session_lifecycle',
    event: word,
    session_id: session.id,
    when: event.at.toISOString(),
    session_name: session.name,
    state: event.state,
    reason: event.message,
    exit_code: isFinal(event.state) ? (session.ending?.exitCode ?? null) : null,
  });
}

/** The same however often it is sent, and of no other: receivers tell a repetition by it. */
export const deliveryId = (word: CallbackWord, event: Pick<StoredEvent, 'id' | 'sessionId'>): string =>
  `${event.sessionId}/${event.id}/${word}`;
