import { ProblemError } from '@berth/contract';
import type { Notifications, SessionStore } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';
import { Bell } from './bell.ts';

const AWAY_MS = 500;

/** One session's row, looked at again when something happened to it: `read`, `wait`, `read`, … and `close`. */
export class SessionWatch {
  readonly #sessions: SessionStore;
  readonly #id: string;
  readonly #bell = new Bell();
  readonly #silence: () => void;

  constructor(parts: { sessions: SessionStore; notifications: Notifications }, id: string) {
    this.#sessions = parts.sessions;
    this.#id = id;
    this.#silence = parts.notifications.onEvent((sessionId) => {
      if (sessionId === id) this.#bell.ring();
    });
  }

  /** Waits for a database that is away for a moment: what is open stays open. */
  async read(signal: AbortSignal): Promise<Session> {
    const session = await this.#get(signal);
    if (session === undefined) throw new ProblemError('not-found', `the session ${this.#id} is not there any more`);
    return session;
  }

  async #get(signal: AbortSignal): Promise<Session | undefined> {
    for (;;) {
      try {
        return await this.#sessions.get(this.#id);
      } catch (error) {
        if (signal.aborted || !(error instanceof ProblemError) || error.code !== 'database-unavailable') throw error;
        await this.wait(AWAY_MS, signal);
      }
    }
  }

  /** Until something happened, `ms` passed or the signal fired: a notification may be missed, so `ms` is also the poll. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return this.#bell.wait(ms, signal);
  }

  close(): void {
    this.#silence();
  }
}
