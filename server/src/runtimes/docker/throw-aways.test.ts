import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseEngineAddress } from './engine-address.ts';
import { EngineClient } from './engine-client.ts';
import { ThrowAways } from './throw-aways.ts';

const HOUR = 60 * 60_000;
const MINUTE = 60_000;

interface Made {
  readonly name: string;
  readonly labels: Record<string, string>;
  created: number;
}

/** As much of an engine as containers need that are never started. */
class Shelf {
  readonly made: Made[] = [];
  readonly removals: string[] = [];
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));

  async open(): Promise<EngineClient> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return new EngineClient(parseEngineAddress(`tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  grow(ageMs: number): void {
    for (const container of this.made) container.created -= ageMs;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://engine');
    const body = await text(request);
    const [status, answer] = this.#answerTo(`${request.method} ${url.pathname}`, url.searchParams.get('name') ?? '', body);
    if (request.method === 'DELETE') this.removals.push(url.search);
    response.writeHead(status, { 'content-type': 'application/json' }).end(status === 204 ? undefined : JSON.stringify(answer));
  }

  #answerTo(request: string, name: string, body: string): [number, unknown] {
    if (request === 'GET /containers/json') return [200, this.made.map(listed)];
    if (request === 'POST /containers/create') {
      if (this.made.some((container) => container.name === name)) return [409, { message: 'the name is in use' }];
      const { Labels } = JSON.parse(body) as { Labels: Record<string, string> };
      this.made.push({ name, labels: Labels, created: Date.now() });
      return [201, { Id: name }];
    }
    const container = this.made.find((one) => request.includes(`/containers/${one.name}`));
    if (container === undefined) return [404, { message: 'no such container' }];
    if (request.startsWith('DELETE')) this.made.splice(this.made.indexOf(container), 1);
    const { labels, created } = container;
    return request.startsWith('DELETE')
      ? [204, null]
      : [200, { Id: container.name, Created: new Date(created).toISOString(), Config: { Labels: labels } }];
  }
}

const listed = ({ name, labels, created }: Made) => ({ Id: name, Names: [`/${name}`], Labels: labels, Created: created / 1000 });

let shelf: Shelf;
let engine: EngineClient;
let here: ThrowAways;
let there: ThrowAways;
beforeEach(async () => {
  shelf = new Shelf();
  engine = await shelf.open();
  here = new ThrowAways({ engine, instance: 'i', server: 'here' });
  there = new ThrowAways({ engine, instance: 'i', server: 'there' });
});
afterEach(() => shelf.close());

const names = (): string[] => shelf.made.map(({ name }) => name);

test('one that is in use stays, however old; it goes with its anonymous volumes once it is not', async () => {
  await here.use({ purpose: 'read-users', image: 'image', mounts: [] }, async () => {
    shelf.grow(24 * HOUR);
    await here.removeOlderThan(MINUTE);
    expect(names()).toHaveLength(1);
  });
  expect(names()).toEqual([]);
  expect(shelf.removals).toEqual([expect.stringMatching(/(?=.*\bv=true)(?=.*force=true)/)]);
});

test("another server's goes when it is old, and where it makes an image only after hours", async () => {
  await there.use({ purpose: 'commit', image: 'image', mounts: [] }, async () => {
    await there.use({ purpose: 'read-users', image: 'image', mounts: [] }, async () => {
      shelf.grow(10 * MINUTE);
      await here.removeOlderThan(MINUTE);
      expect(shelf.made.map(({ labels }) => labels['berth.throwaway'])).toEqual(['commit']);
    });
    shelf.grow(24 * HOUR);
    await here.removeOlderThan(MINUTE);
    expect(names()).toEqual([]);
  });
});

test('one server at a time makes an image', async () => {
  expect(await here.claim('key', 'image')).toBe(true);
  expect(await here.claim('key', 'image')).toBe(false);
  expect(await there.claim('key', 'image')).toBe(false);
  expect(await there.claims()).toEqual(new Set(['key']));
  await here.release('key');
  await here.release('key');
  expect(await there.claim('key', 'image')).toBe(true);
});

test('a server that was killed takes its claim over at once, another one after hours', async () => {
  await there.claim('key', 'image');
  await there.claim('other', 'image');
  const thereAgain = new ThrowAways({ engine, instance: 'i', server: 'there' });
  expect(await thereAgain.claim('key', 'image')).toBe(true);
  expect(await here.claim('other', 'image')).toBe(false);
  shelf.grow(24 * HOUR);
  expect(await here.claim('other', 'image')).toBe(true);
});
