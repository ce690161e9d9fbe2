import type { ControlFromServer } from '@berth/contract';
import { z } from 'zod';
import type { CloseCode, OpenSocket } from '../open-socket.ts';
import type { Input, ProcessClient } from '../process-client.ts';

const Side = z.number().int().min(1).max(10_000);
const FromClient = z.discriminatedUnion('type', [
  z.object({ type: z.literal('stdin'), chars: z.base64() }),
  z.object({ type: z.literal('resize'), rows: Side, cols: Side }),
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('restart') }),
]);

/** Their terminal: text messages of JSON, what is typed and printed as base64. */
export class PtySocket implements ProcessClient {
  readonly #socket: OpenSocket;
  readonly #restart: () => void;

  /** `restart`: what to do when the client asks for it. */
  constructor(socket: OpenSocket, restart: () => void) {
    this.#socket = socket;
    this.#restart = restart;
  }

  get gone(): AbortSignal {
    return this.#socket.gone;
  }

  receive(input: Input): void {
    this.#socket.receive((data) => {
      const message = FromClient.safeParse(parseJson(data));
      if (!message.success) return this.#refuse();
      if (message.data.type === 'stdin') input.stdin(Buffer.from(message.data.chars, 'base64'));
      else if (message.data.type === 'resize') input.resize(message.data);
      else if (message.data.type === 'restart') this.#restart();
    });
  }

  /** Both streams of a process look the same on a terminal. */
  send(_channel: 1 | 2, data: Buffer): Promise<void> {
    return this.#say({ type: 'out', data: data.toString('base64') });
  }

  /** Of what happens besides output only failures have a word. */
  async control(message: ControlFromServer): Promise<void> {
    const failed = message.type === 'problem' || (message.type === 'exit' && message.cause !== null);
    if (failed) await this.#say({ type: 'error', data: message.message });
  }

  close(code: CloseCode, reason: string): void {
    this.#socket.close(code, reason);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #refuse(): void {
    void this.#say({ type: 'error', data: 'a message is JSON of the type stdin (chars in base64), resize (rows, cols), ping or restart' });
    this.close(1008, 'bad-request');
  }

  #say(message: { readonly type: 'out' | 'error'; readonly data: string }): Promise<void> {
    return this.#socket.send(JSON.stringify(message));
  }
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}
