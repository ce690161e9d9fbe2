import type { FastifyBaseLogger } from 'fastify';
import type { Notifications, SessionStore, StoredEvent } from '../domain/sessions/session-store.ts';
import { Bell } from './bell.ts';

const POLL_MS = 2_000;
const PAGE = 500;
const MAX_BEHIND = 5_000;

/** Instead of an event's id: only what comes. */
export const FROM_NOW = Symbol('from now');

export interface EventScope {
  readonly ownerId: string | null;
  readonly sessionId: string | null;
}
interface Listener {
  readonly scope: EventScope;
  readonly bell: Bell;
  queue: StoredEvent[];
  tooSlow: boolean;
}

/** One reader of the event table for all who listen: their number does not change what the database is asked. */
export class EventFeed {
  readonly #sessions: SessionStore;
  readonly #notifications: Notifications;
  readonly #log: FastifyBaseLogger;
  readonly #listeners = new Set<Listener>();
  readonly #bell = new Bell();
  #standing: Promise<void> | undefined;

  constructor(deps: { sessions: SessionStore; notifications: Notifications; log: FastifyBaseLogger }) {
    this.#sessions = deps.sessions;
    this.#notifications = deps.notifications;
    this.#log = deps.log;
  }

  /** Everything after an event id (null: from the beginning; FROM_NOW: only what comes), until the signal. Ends early for who reads too slowly. */
  async *follow(scope: EventScope, after: string | null | typeof FROM_NOW, signal: AbortSignal): AsyncGenerator<StoredEvent> {
    const listener: Listener = { scope, bell: new Bell(), queue: [], tooSlow: false };
    this.#listeners.add(listener);
    try {
      await this.#stand();
      const replayed = new Set<string>();
      if (after !== FROM_NOW) yield* this.#replay(scope, after, replayed);
      while (!signal.aborted && !listener.tooSlow) {
        const batch = listener.queue;
        listener.queue = [];
        for (const event of batch) if (!replayed.delete(event.id)) yield event;
        if (batch.length === 0) await listener.bell.wait(POLL_MS * 10, signal);
      }
    } finally {
      this.#listeners.delete(listener);
      this.#bell.ring();
    }
  }

  async *#replay(scope: EventScope, after: string | null, replayed: Set<string>): AsyncGenerator<StoredEvent> {
    for (let from = after; ;) {
      const page = await this.#sessions.events({ ...scope, after: from, limit: PAGE });
      for (const event of page) {
        replayed.add(event.id);
        yield event;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      from = last.id;
    }
  }

  /** Returns once the reader has a place in the table: what comes later reaches every listener's queue. */
  #stand(): Promise<void> {
    this.#standing ??= this.#sessions.latestEvent().then(
      (position) => void this.#read(position),
      (error: unknown) => {
        this.#standing = undefined;
        throw error;
      },
    );
    return this.#standing;
  }

  async #read(start: string | null): Promise<void> {
    const silence = this.#notifications.onEvent(() => this.#bell.ring());
    let position = start;
    while (this.#listeners.size > 0) {
      try {
        const page = await this.#sessions.events({ ownerId: null, sessionId: null, after: position, limit: PAGE });
        for (const event of page) this.#hand(event);
        position = page.at(-1)?.id ?? position;
        if (page.length === PAGE) continue;
      } catch (error) {
        this.#log.warn({ err: error }, 'events could not be read; trying again');
      }
      await this.#bell.wait(POLL_MS);
    }
    silence();
    this.#standing = undefined;
  }

  #hand(event: StoredEvent): void {
    for (const listener of this.#listeners) {
      const { ownerId, sessionId } = listener.scope;
      if ((ownerId !== null && ownerId !== event.ownerId) || (sessionId !== null && sessionId !== event.sessionId)) continue;
      if (listener.queue.length >= MAX_BEHIND) listener.tooSlow = true;
      else listener.queue.push(event);
      listener.bell.ring();
    }
  }
}
