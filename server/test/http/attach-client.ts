import { CHANNEL, ControlFromServer, decodeFrame, encodeFrame, type ControlFromClient } from '@berth/contract';
import { expect } from 'vitest';
import { WebSocket } from 'ws';

type Exit = Extract<ControlFromServer, { type: 'exit' }>;
type Query = Readonly<Record<string, string | number | boolean>>;

/** A WebSocket of attach or exec, as a program uses it. */
export class AttachClient {
  stdout = '';
  stderr = '';
  /** Bytes of output. */
  received = 0;
  readonly controls: ControlFromServer[] = [];
  readonly closed: Promise<number>;
  readonly #ws: WebSocket;
  readonly #opened: Promise<void>;

  constructor(url: string, token: string) {
    this.#ws = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    this.#opened = new Promise((resolve, reject) => {
      this.#ws.once('open', () => resolve());
      this.#ws.once('error', reject);
    });
    this.closed = new Promise((resolve) => this.#ws.once('close', resolve));
    this.#ws.on('message', (data: Buffer) => this.#receive(data));
  }

  static async open(server: { url: string; token: string }, path: string, query: Query = {}): Promise<AttachClient> {
    const url = new URL(path, server.url);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const client = new AttachClient(url.href, server.token);
    await client.#opened;
    return client;
  }

  type(text: string): void {
    this.#ws.send(encodeFrame(CHANNEL.stdin, text));
  }

  control(message: ControlFromClient): void {
    this.#ws.send(encodeFrame(CHANNEL.control, JSON.stringify(message)));
  }

  async sees(text: string | RegExp): Promise<void> {
    await expect
      .poll(() => this.stdout, { timeout: 60_000 })
      .toMatch(typeof text === 'string' ? new RegExp(text.replaceAll(/[$.*+?()[\]{}|\\]/g, String.raw`\$&`)) : text);
  }

  async attached(): Promise<number> {
    await expect.poll(() => this.controls.map(({ type }) => type), { timeout: 60_000 }).toContain('attached');
    return this.controls.find((control) => control.type === 'attached')?.replayedBytes ?? -1;
  }

  /** How it ended, once the server has closed the connection. */
  async exit(): Promise<Exit> {
    const code = await this.closed;
    const exit = this.controls.find((control) => control.type === 'exit');
    if (exit === undefined) throw new Error(`closed with ${code} and no exit: ${JSON.stringify(this.controls)}`);
    expect(code).toBe(1000);
    return exit;
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  /** Without a word, as a lost connection is. */
  vanish(): void {
    this.#ws.terminate();
  }

  #receive(data: Buffer): void {
    const frame = decodeFrame(data);
    if (frame?.channel === CHANNEL.stdout) {
      this.received += frame.payload.length;
      // What is only counted is not kept.
      if (this.received < 20_000_000) this.stdout += frame.payload.toString();
    }
    if (frame?.channel === CHANNEL.stderr) this.stderr += frame.payload.toString();
    else if (frame?.channel === CHANNEL.control) this.controls.push(ControlFromServer.parse(JSON.parse(frame.payload.toString())));
  }
}
