import { setTimeout as delay } from 'node:timers/promises';
import type { Client, Session } from '@berth/contract';

export const hasEnded = (session: Session): boolean => ['terminated', 'cancelled', 'error'].includes(session.state);

const LIMIT_MS = 120_000;

/** Waits for a condition of a session; fails with what it is instead. */
export async function until(client: Client, id: string, what: string, is: (session: Session) => boolean): Promise<Session> {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    const session = await client.getSession({ params: { session: id } });
    if (is(session)) return session;
    if (Date.now() > deadline || hasEnded(session))
      throw new Error(`${session.name} is not ${what} but ${session.state}, ${session.reason}`);
    await delay(50);
  }
}

/** Ends every session of this server. */
export async function endAll(client: Client): Promise<void> {
  const { items } = await client.listSessions({ query: { limit: 200 } });
  for (const { id } of items) await client.terminateSession({ params: { session: id }, body: {} });
  for (const { id } of items) await until(client, id, 'ended', hasEnded);
}
