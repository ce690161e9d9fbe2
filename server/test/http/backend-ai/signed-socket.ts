import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { expect } from 'vitest';
import type { WebSocket } from 'ws';

interface Refused {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** A WebSocket as a program uses it: what came, how it ended, or the answer with which it was refused. */
export class SignedSocket {
  readonly texts: string[] = [];
  /** The first of the bytes; more are only counted. */
  bytes = Buffer.alloc(0);
  received = 0;
  /** Of the answer, whichever it was. */
  headers: IncomingHttpHeaders = {};
  readonly closed: Promise<number>;
  readonly #ws: WebSocket;
  readonly #opened: Promise<void>;
  #refused: Promise<Refused> | undefined;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    this.#opened = new Promise((resolve) => ws.once('open', resolve).once('unexpected-response', () => resolve()));
    this.closed = new Promise((resolve) => ws.once('close', resolve));
    ws.on('error', () => undefined);
    ws.on('upgrade', ({ headers }) => (this.headers = headers));
    ws.on('unexpected-response', (_, response) => {
      this.#refused = this.#read(response);
    });
    ws.on('message', (data: Buffer, binary) => {
      if (!binary) return void this.texts.push(data.toString());
      this.received += data.length;
      if (this.received < 1_000_000) this.bytes = Buffer.concat([this.bytes, data]);
    });
  }

  async open(): Promise<this> {
    await this.#opened;
    if (this.#refused !== undefined) throw new Error(`refused: ${JSON.stringify(await this.#refused)}`);
    return this;
  }

  async refused(): Promise<Refused> {
    await this.#opened;
    if (this.#refused === undefined) throw new Error('it was opened');
    return this.#refused;
  }

  send(message: string | Buffer | object): void {
    this.#ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  get messages(): readonly Record<string, unknown>[] {
    return this.texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  /** What a terminal printed, of their frames. */
  get printed(): string {
    return this.messages.map(({ type, data }) => (type === 'out' ? Buffer.from(String(data), 'base64').toString() : '')).join('');
  }

  async sees(what: () => unknown): Promise<void> {
    await expect.poll(what, { timeout: 20_000 }).toBeTruthy();
  }

  pause(): void {
    this.#ws.pause();
  }
  resume(): void {
    this.#ws.resume();
  }
  close(): void {
    this.#ws.close();
  }
  /** Without a word, as a lost connection is. */
  vanish(): void {
    this.#ws.terminate();
  }

  async #read(response: IncomingMessage): Promise<Refused> {
    this.headers = response.headers;
    const text = Buffer.concat(await response.toArray()).toString();
    return { status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) as Record<string, unknown> };
  }
}
