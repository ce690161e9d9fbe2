import { ProblemError } from '@berth/contract';
import type { Notifications, SessionStore } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';
import { Bell } from './bell.ts';

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

  async read(): Promise<Session> {
    const session = await this.#sessions.get(this.#id);
    if (session === undefined) throw new ProblemError('not-found', `the session ${this.#id} is not there any more`);
    return session;
  }

  /** Until something happened, `ms` passed or the signal fired: a notification may be missed, so `ms` is also the poll. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return this.#bell.wait(ms, signal);
  }

  close(): void {
    this.#silence();
  }
}
