import { randomBytes, randomUUID } from 'node:crypto';
import { createClient, type Client } from '@berth/contract';
import { pino, type Logger } from 'pino';
import { Registry } from 'prom-client';
import type { FastifyInstance } from 'fastify';
import { callbackKey } from '../../src/domain/deliveries/signature.ts';
import { OutgoingRules } from '../../src/domain/network/outgoing-rules.ts';
import { newTokenSecret } from '../../src/domain/users/token.ts';
import type { User } from '../../src/domain/users/user-store.ts';
import { createHttp } from '../../src/http/http.ts';
import type { HttpParts } from '../../src/http/parts.ts';
import { SessionUses } from '../../src/domain/execution/session-uses.ts';
import { ContainerExecutor } from '../../src/inside/container-executor.ts';
import { ContainerFiles } from '../../src/inside/files/container-files.ts';
import { RuntimeError, type Runtime } from '../../src/runtimes/runtime.ts';
import { newId } from '../../src/uuid.ts';
import { openTestStorage, type TestStorage } from '../test-database.ts';

export interface Person {
  readonly user: User;
  readonly token: string;
  readonly tokenId: string;
  readonly client: Client;
}

/** The API on a port and a database of its own, with an administrator and two users; nothing reconciles behind it. */
export class ApiServer {
  readonly storage: TestStorage;
  readonly url: string;
  readonly people: { readonly root: Person; readonly alice: Person; readonly bob: Person };
  /** What it logged, as text. */
  readonly logged: () => string;
  readonly #http: FastifyInstance;

  private constructor(parts: {
    storage: TestStorage;
    url: string;
    people: ApiServer['people'];
    logged: () => string;
    http: FastifyInstance;
  }) {
    this.storage = parts.storage;
    this.url = parts.url;
    this.people = parts.people;
    this.logged = parts.logged;
    this.#http = parts.http;
  }

  static async start(runtime: Partial<Runtime> = {}, more: Partial<HttpParts> = {}): Promise<ApiServer> {
    const storage = await openTestStorage();
    const { log, logged } = memoryLog();
    const engine = more.runtime ?? ({ ...ABSENT, ...runtime } as Runtime);
    const http = createHttp({
      sessions: storage.sessions,
      users: storage.users,
      tokens: storage.tokens,
      keypairs: storage.keypairs,
      storages: storage.storages,
      notifications: storage.notifications,
      nodes: { report: async () => [], capacities: () => [] },
      runtime: engine,
      executor: new ContainerExecutor({ runtime: engine, sessions: storage.sessions, newId }),
      uses: new SessionUses(),
      files: new ContainerFiles(engine),
      firstByte: { waitFor: () => () => undefined },
      statistics: { live: async () => undefined },
      outgoing: new OutgoingRules(),
      callbackKeyOf: (userId) => callbackKey(storage.secretKey, userId),
      metrics: new Registry(),
      log,
      version: '1.2.3',
      defaultImage: 'docker://berth/base',
      allowedHosts: [],
      newId,
      now: () => new Date(),
      wake: () => undefined,
      removeStorages: () => undefined,
      ready: async () => ({ ok: true }),
      ...more,
    });
    const url = await http.listen({ host: '127.0.0.1', port: 0 });
    const person = async (name: string, role: 'admin' | 'user') => signUp(storage, url, { name, role });
    const people = { root: await person('root', 'admin'), alice: await person('alice', 'user'), bob: await person('bob', 'user') };
    return new ApiServer({ storage, url, people, logged, http });
  }

  /** A plain request, as any program would send it. */
  fetch(path: string, init: RequestInit & { as?: Person } = {}): Promise<Response> {
    const { as, ...rest } = init;
    const authorization = as === undefined ? {} : { authorization: `Bearer ${as.token}` };
    return fetch(new URL(path, this.url), {
      ...rest,
      headers: { ...authorization, ...(rest.headers as Record<string, string> | undefined) },
    });
  }

  send(method: string, path: string, options: { as: Person; body?: unknown }): Promise<Response> {
    const body = options.body === undefined ? {} : { body: JSON.stringify(options.body), headers: { 'content-type': 'application/json' } };
    return this.fetch(path, { method, as: options.as, ...body });
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async dispose(): Promise<void> {
    await this.close();
    await this.storage.close();
  }
}

/** No container anywhere: what the API does without an engine. */
const ABSENT: Partial<Runtime> = {
  kind: 'fake',
  inspect: async (ref) => ({ ref, phase: 'absent' }),
  ensureImage: async ({ reference }) => {
    throw new RuntimeError('fatal', { code: 'image-not-found', message: `there is no image "${reference}"`, remedy: 'Pull it.' });
  },
};

async function signUp(storage: TestStorage, url: string, { name, role }: { name: string; role: 'admin' | 'user' }): Promise<Person> {
  const user = await storage.users.create({ id: randomUUID(), name, role });
  const { secret, hash, prefix } = newTokenSecret(randomBytes(32));
  const token = await storage.tokens.create({ id: randomUUID(), name: 'test', userId: user.id, prefix, hash, expiresAt: null });
  return { user, token: secret, tokenId: token.id, client: createClient({ url, token: secret }) };
}

function memoryLog(): { log: Logger; logged: () => string } {
  let text = '';
  const log = pino({ level: 'debug' }, { write: (line: string) => void (text += line) });
  return { log, logged: () => text };
}
