import { isFinal } from '../sessions/lifecycle.ts';
import type { StoredEvent } from '../sessions/session-store.ts';
import type { Session } from '../sessions/session.ts';
import { callbackWords, type CallbackWord } from './callback-payload.ts';

/** Whatever waits longer, or has so many later ones of its session behind it, is dropped: nobody wants to hear it any more. */
const LONGEST_MS = 86_400_000;
export const MOST_WAITING = 100;

export interface PlannedTelling {
  readonly event: StoredEvent;
  /** What it is told as, in order. */
  readonly words: readonly CallbackWord[];
  /** Why it is not told after all, in words. */
  readonly dropped: string | undefined;
  /** Nothing of this session will follow. */
  readonly last: boolean;
}

/** What is to be told of these events of a session, oldest first. */
export function planTellings(events: readonly StoredEvent[], session: Session, now: Date): readonly PlannedTelling[] {
  const told = events.map((event) => ({ event, words: callbackWords(event, session) })).filter(({ words }) => words.length > 0);
  return told.map(({ event, words }, at) => ({
    event,
    words,
    dropped: whyDropped(now.getTime() - event.at.getTime(), told.length - 1 - at),
    last: event.kind === 'state' && isFinal(event.state),
  }));
}

function whyDropped(ageMs: number, behind: number): string | undefined {
  if (ageMs > LONGEST_MS) return 'it had waited for more than a day';
  return behind >= MOST_WAITING ? `more than ${MOST_WAITING} later ones were waiting` : undefined;
}
