import { setTimeout as delay } from 'node:timers/promises';
import { SessionEvent } from '@berth/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApiServer, type Person } from './api-server.ts';

let server: ApiServer;
beforeEach(async () => {
  server = await ApiServer.start();
});
afterEach(() => server.dispose());

/** The events of a stream, read until there are enough or it ends. */
class Listener {
  readonly events: SessionEvent[] = [];
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  text = '';

  constructor(response: Promise<Response>, stop: AbortController) {
    this.#stop = stop;
    this.ended = response.then((answer) => this.#read(answer));
    this.ended.catch(() => undefined);
  }

  static open(path: string, as: Person, headers: Record<string, string> = {}): Listener {
    const stop = new AbortController();
    return new Listener(server.fetch(path, { as, headers, signal: stop.signal }), stop);
  }

  async count(least: number): Promise<readonly SessionEvent[]> {
    await expect.poll(() => this.events.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(least);
    return this.events;
  }

  /** The server has answered and knows that it listens. */
  async listening(): Promise<void> {
    await expect.poll(() => this.text, { timeout: 20_000 }).toContain('retry:');
  }

  leave(): void {
    this.#stop.abort();
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      this.text += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = this.text.split('\n\n').slice(0, -1);
      const found = blocks.flatMap((block) => /^id: (.*)\ndata: (.*)$/.exec(block)?.[2] ?? []);
      for (const data of found.slice(this.events.length)) this.events.push(SessionEvent.parse(JSON.parse(data)));
    }
  }
}

const message = ({ kind, message: text }: SessionEvent): string => `${kind}: ${text}`;

test("one session's story is told from its beginning, and goes on as it happens", async () => {
  const { alice } = server.people;
  const session = await alice.client.createSession({ body: {} });
  const listener = Listener.open(`/api/sessions/${session.id}/events`, alice);
  await listener.count(1);
  await alice.client.terminateSession({ params: { session: session.id }, body: {} });
  expect((await listener.count(2)).map(message)).toEqual(['created: created', 'requested: stop requested by alice']);
  listener.leave();
});

test('who comes back with the last id she saw misses nothing and hears nothing twice', async () => {
  const { alice } = server.people;
  const first = Listener.open('/api/events', alice);
  await first.listening();
  await delay(0);
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) ids.push((await alice.client.createSession({ body: {} })).id);
  await first.count(1);
  first.leave();
  for (let count = 0; count < 3; count += 1) ids.push((await alice.client.createSession({ body: {} })).id);
  const last = first.events.at(-1);
  const second = Listener.open('/api/events', alice, { 'last-event-id': last?.id ?? '' });
  await second.count(6 - first.events.length);
  expect([...first.events, ...second.events].map(({ sessionId }) => sessionId)).toEqual(ids);
  second.leave();
});

test("nobody hears of somebody else's sessions, not even an administrator who did not ask for one", async () => {
  const { alice, bob, root } = server.people;
  const listeners = [bob, root].map((person) => Listener.open('/api/events', person));
  for (const listener of listeners) await listener.listening();
  await alice.client.createSession({ body: {} });
  await bob.client.createSession({ body: {} });
  await root.client.createSession({ body: {} });
  for (const listener of listeners) expect(await listener.count(1)).toHaveLength(1);
  expect(listeners.map(({ events }) => events[0]?.sessionId).filter((id) => id === undefined)).toEqual([]);
  for (const listener of listeners) listener.leave();
});

test('a hundred listeners ask the database no more than one does', async () => {
  const { alice } = server.people;
  const asked: string[] = [];
  const events = server.storage.sessions.events.bind(server.storage.sessions);
  server.storage.sessions.events = (filter) => {
    asked.push(filter.after ?? '');
    return events(filter);
  };
  const listeners = Array.from({ length: 100 }, () => Listener.open('/api/events', alice));
  for (const listener of listeners) await listener.listening();
  await alice.client.createSession({ body: {} });
  for (const listener of listeners) await listener.count(1);
  expect(asked.length).toBeLessThan(20);
  for (const listener of listeners) listener.leave();
});

test('a stopping server ends the streams, and is gone soon', async () => {
  const { alice } = server.people;
  const listener = Listener.open('/api/events', alice);
  await listener.listening();
  await server.close();
  await listener.ended;
});
