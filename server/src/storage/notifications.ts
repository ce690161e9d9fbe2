import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Notifications } from '../domain/sessions/session-store.ts';
import type { Connection } from './database.ts';
import type { Log } from './log.ts';
import { EVENT_CHANNEL, WAKE_CHANNEL } from './session-rows.ts';

/** Held (shared) by every running Berth on its listening connection, so that a restore can tell that there is one. */
export const RUNNING_LOCK = 7_234_801_002;
const BACKOFF_MS = { first: 50, most: 2_000 };

/** One connection that listens, made again whenever it breaks. */
export class PostgresNotifications implements Notifications {
  readonly #connection: Connection;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #wakeListeners = new Set<() => void>();
  readonly #eventListeners = new Set<(sessionId: string) => void>();
  #running: Promise<void> = Promise.resolve();

  constructor(connection: Connection, log: Log) {
    this.#connection = connection;
    this.#log = log;
  }

  /** Resolves once it listens for the first time. */
  start(): Promise<void> {
    return new Promise((listening) => {
      this.#running = this.#keepListening(listening);
    });
  }

  onWake(listener: () => void): () => void {
    this.#wakeListeners.add(listener);
    return () => this.#wakeListeners.delete(listener);
  }

  onEvent(listener: (sessionId: string) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #keepListening(listening: () => void): Promise<void> {
    let backoff = BACKOFF_MS.first;
    while (!this.#closing.signal.aborted) {
      const problem = await this.#listen(() => {
        backoff = BACKOFF_MS.first;
        listening();
        // Whatever was said while nobody listened.
        this.#wake();
      });
      if (this.#closing.signal.aborted) return;
      this.#log('warn', 'the connection that listens for database notifications broke; listening again soon', { reason: String(problem) });
      await delay(backoff, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      backoff = Math.min(backoff * 2, BACKOFF_MS.most);
    }
  }

  /** Listens until the connection breaks or this closes; answers what broke it. */
  async #listen(ready: () => void): Promise<unknown> {
    const client = new Client({
      application_name: 'berth listener',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      ...this.#connection,
    });
    const broken = new Promise<unknown>((resolve) => {
      client.on('error', resolve);
      client.on('end', () => resolve(undefined));
    });
    client.on('notification', ({ channel, payload }) => this.#hear(channel, payload ?? ''));
    const stop = (): void => void client.end();
    this.#closing.signal.addEventListener('abort', stop);
    try {
      await client.connect();
      await client.query(`select pg_advisory_lock_shared(${RUNNING_LOCK}); listen ${WAKE_CHANNEL}; listen ${EVENT_CHANNEL}`);
      ready();
      return await broken;
    } catch (error) {
      return error;
    } finally {
      this.#closing.signal.removeEventListener('abort', stop);
      await client.end().catch(() => undefined);
    }
  }

  #hear(channel: string, payload: string): void {
    if (channel === WAKE_CHANNEL) this.#wake();
    else for (const listener of this.#eventListeners) listener(payload);
  }

  #wake(): void {
    for (const listener of this.#wakeListeners) listener();
  }
}
