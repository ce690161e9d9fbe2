import { expect } from 'vitest';
import type { Session } from '../../../src/domain/sessions/session.ts';
import type { HttpParts } from '../../../src/http/parts.ts';
import { GRANT, after, until } from '../../storage/make.ts';
import { ApiServer } from '../api-server.ts';
import { BackendAiClient, keysFor, type Answered, type Keys } from './signing-client.ts';

export const TYPE = 'https://api.backend.ai/probs/';
interface Made {
  readonly id: string;
  readonly name: string;
}

/** A server with people who have key pairs, and a hand that does what the reconciler would: it does not run here. */
export class Stage {
  readonly server: ApiServer;
  readonly keys: { readonly alice: Keys; readonly bob: Keys };
  /** Alice, with either SDK. */
  readonly js: BackendAiClient;
  readonly py: BackendAiClient;
  readonly bob: BackendAiClient;
  readonly root: BackendAiClient;
  #names = 0;

  private constructor(server: ApiServer, keys: { alice: Keys; bob: Keys; root: Keys }) {
    this.server = server;
    this.keys = keys;
    this.js = new BackendAiClient(server.url, keys.alice, 'js');
    this.py = new BackendAiClient(server.url, keys.alice, 'py');
    this.bob = new BackendAiClient(server.url, keys.bob, 'py');
    this.root = new BackendAiClient(server.url, keys.root, 'js');
  }

  static async open(more: Partial<HttpParts> = {}): Promise<Stage> {
    const server = await ApiServer.start({}, more);
    const { alice, bob, root } = server.people;
    return new Stage(server, { alice: await keysFor(server, alice), bob: await keysFor(server, bob), root: await keysFor(server, root) });
  }

  close(): Promise<void> {
    return this.server.dispose();
  }

  freshName(): string {
    return `session-${(this.#names += 1)}`;
  }

  create(body: object = {}, client = this.js): Promise<Answered> {
    return client.send('POST', '/session', { body: { lang: 'debian', clientSessionToken: this.freshName(), enqueueOnly: true, ...body } });
  }

  async made(body: object = {}): Promise<Made> {
    const answer = await this.create(body);
    expect(answer.status).toBe(201);
    return { id: String(answer.body['sessionId']), name: String(answer.body['sessionName']) };
  }

  async running(body: object = {}): Promise<Made> {
    const session = await this.made(body);
    await this.become(session.id, { state: 'running' });
    return session;
  }

  /** Alice's session of this name, as soon as there is one. */
  appears(name: string): Promise<string> {
    const { storage, people } = this.server;
    return until(async () => {
      const found = await storage.sessions.find(people.alice.user.id, name);
      return typeof found === 'object' && found.id;
    }, `the session ${name} is there`);
  }

  async become(id: string, changes: Partial<Session>): Promise<void> {
    const session = await this.server.storage.sessions.get(id);
    if (session === undefined) throw new Error(`there is no session ${id}`);
    const next = after(session, { grant: GRANT, generation: 1, startedAt: new Date(), ...changes });
    expect(await this.server.storage.sessions.save(next, { kind: 'state', message: next.state }, null)).toBe(true);
  }
}

export const ending = (
  state: 'terminated' | 'cancelled' | 'error',
  more: Partial<NonNullable<Session['ending']>> = {},
): Partial<Session> => ({
  state,
  endedAt: new Date(),
  ending: { state, reason: '', exitCode: null, cause: null, ...more },
});
