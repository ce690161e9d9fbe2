import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { KEYPAIR_BYTES, makeKeys } from '../../../src/domain/users/keypair.ts';
import { newId } from '../../../src/uuid.ts';
import { SignedSocket } from './signed-socket.ts';
import type { ApiServer, Person } from '../api-server.ts';

export interface Keys {
  readonly id: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

export async function keysFor(server: ApiServer, { user }: Person): Promise<Keys> {
  const keys = { id: newId(), ...makeKeys(randomBytes(KEYPAIR_BYTES)) };
  await server.storage.keypairs.create({ userId: user.id, name: 'test', ...keys });
  return keys;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly body: Record<string, unknown>;
}
interface Wish {
  readonly body?: unknown;
  /** Sent as it is, whatever it holds. */
  readonly raw?: string | Buffer;
  /** Its content type, signed without parameters. */
  readonly type?: string;
  /** Over those that are signed; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly at?: Date;
  /** Instead of the method that is sent. */
  readonly signedAs?: string;
  readonly signal?: AbortSignal;
}

/** `stream`: as both sign what has no content type. */
type Sdk = 'js' | 'py' | 'stream';

/** Signs as one of the SDKs does. Written apart from the server's code, after the same description. */
export class BackendAiClient {
  readonly #url: URL;
  readonly #keys: Keys;
  readonly #sdk: Sdk;

  constructor(url: string, keys: Keys, sdk: Sdk) {
    this.#url = new URL(url);
    this.#keys = keys;
    this.#sdk = sdk;
  }

  async send(method: string, target: string, wish: Wish = {}): Promise<Answered> {
    const response = await this.open(method, target, wish);
    const text = Buffer.concat(await response.toArray()).toString();
    const json = response.headers['content-type']?.includes('json') === true && text !== '';
    return { status: response.statusCode ?? 0, headers: response.headers, text, body: json ? (JSON.parse(text) as Answered['body']) : {} };
  }

  async open(method: string, target: string, wish: Wish = {}): Promise<IncomingMessage> {
    const payload = wish.raw ?? (wish.body === undefined ? undefined : JSON.stringify(wish.body));
    const signed = this.#signed(wish.signedAs ?? method, target, {
      hasBody: payload !== undefined,
      at: wish.at ?? new Date(),
      type: wish.type,
    });
    const length =
      payload === undefined || wish.headers?.['transfer-encoding'] !== undefined ? undefined : String(Buffer.byteLength(payload));
    const headers = Object.fromEntries(
      Object.entries({ ...signed, 'content-length': length, ...wish.headers }).filter(([, value]) => value !== undefined),
    );
    const request = httpRequest({
      host: this.#url.hostname,
      port: this.#url.port,
      path: target,
      method,
      agent: false,
      headers,
      ...(wish.signal && { signal: wish.signal }),
    });
    request.end(payload);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }

  /** A WebSocket whose upgrade is signed. `url`: what is really asked for, where that is something else. */
  socket(target: string, { url = target, headers = {} }: { url?: string; headers?: Readonly<Record<string, string>> } = {}): SignedSocket {
    const signed = this.#signed('GET', target, { hasBody: false, at: new Date() });
    return new SignedSocket(new WebSocket(`ws://${this.#url.host}${url}`, { headers: { ...signed, ...headers } }));
  }

  /** Of a request that is sent by other means. */
  signedHeaders(method: string, target: string, { hasBody, type }: { hasBody: boolean; type?: string }): Record<string, string> {
    return this.#signed(method, target, { hasBody, at: new Date(), type });
  }

  #signed(
    method: string,
    target: string,
    { hasBody, at, type: given }: { hasBody: boolean; at: Date; type?: string | undefined },
  ): Record<string, string> {
    const date = this.#sdk === 'js' ? at.toISOString() : at.toISOString().replace('Z', '000+00:00');
    const usual = this.#sdk === 'stream' ? 'application/octet-stream' : this.#sdk === 'js' || hasBody ? 'application/json' : 'text/plain';
    const type = given ?? usual;
    const version = 'v6.20220615';
    const lines = [method, target, date, `host:${this.#url.host}`, `content-type:${type.split(';')[0]}`, `x-backendai-version:${version}`];
    const nothing = createHash('sha256').update('').digest('hex');
    const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
    const key = hmac(hmac(this.#keys.secretKey, date.slice(0, 10).replaceAll('-', '')), this.#url.host);
    const signature = hmac(key, [...lines, nothing].join('\n')).toString('hex');
    return {
      host: this.#url.host,
      [this.#sdk === 'js' ? 'x-backendai-date' : 'date']: date,
      'x-backendai-version': version,
      ...(this.#sdk === 'stream' && given === undefined ? {} : { 'content-type': type }),
      authorization: `BackendAI signMethod=HMAC-SHA256, credential=${this.#keys.accessKey}:${signature}`,
    };
  }
}
