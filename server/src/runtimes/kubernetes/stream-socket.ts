import { once } from 'node:events';
import type { ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createWebSocketStream, WebSocket } from 'ws';
import { wasCut } from '../was-cut.ts';
import { ClusterRefusal } from './errors.ts';

/** Can end one of its streams: what a process reads as end of input. From Kubernetes 1.30 on. */
export const CLOSING_PROTOCOL = 'v5.channel.k8s.io';
export const PLAIN_PROTOCOL = 'v4.channel.k8s.io';

const CLOSE_CHANNEL = 255;
/** Below what any proxy on the way takes for one message. */
const LARGEST_MESSAGE = 32 * 1024;
/** Proxies close what is silent, often after a minute. */
const PING_MS = 30_000;

export interface Message {
  readonly channel: number;
  readonly data: Buffer;
}

/** One WebSocket that carries numbered streams. Whoever does not read from it stops the other side's writing, and the other way round. */
export class StreamSocket {
  readonly closesChannels: boolean;
  readonly #duplex: Duplex;

  constructor(duplex: Duplex, protocol: string) {
    this.#duplex = duplex;
    this.closesChannels = protocol === CLOSING_PROTOCOL;
  }

  /** Until the other side closes. Throws what Node's sockets throw where the connection breaks. */
  async *messages(): AsyncGenerator<Message> {
    for await (const piece of this.#duplex) {
      const message: Buffer = Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece));
      const channel = message[0];
      if (channel !== undefined && message.length > 1 && channel !== CLOSE_CHANNEL) yield { channel, data: message.subarray(1) };
    }
  }

  /** Resolves when there is room for more. Rejects when the connection has ended. */
  async send(channel: number, data: Buffer): Promise<void> {
    for (let at = 0; at < data.length; at += LARGEST_MESSAGE) {
      await this.#write(Buffer.concat([Buffer.of(channel), data.subarray(at, at + LARGEST_MESSAGE)]));
    }
  }

  /** Only where `closesChannels`. */
  async closeChannel(channel: number): Promise<void> {
    await this.#write(Buffer.of(CLOSE_CHANNEL, channel));
  }

  get ended(): boolean {
    return this.#duplex.destroyed;
  }

  close(): void {
    this.#duplex.destroy();
  }

  #write(message: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#duplex.write(message, (error) => (error ? reject(error) : resolve()));
    });
  }
}

interface Opening {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly options: () => Promise<ClientRequestArgs>;
}

const HANDSHAKE_TIMEOUT_MS = 30_000;

/** Throws ClusterRefusal where the API server answers something else than a WebSocket, or what Node's sockets throw. */
export async function openStreamSocket(opening: Opening): Promise<StreamSocket> {
  const options = await opening.options();
  try {
    return await shakeHands(opening, options);
  } catch (error) {
    if (wasCut(error)) return shakeHands(opening, { ...options, agent: false });
    throw error;
  }
}

async function shakeHands({ url, protocols }: Opening, options: ClientRequestArgs): Promise<StreamSocket> {
  const socket = new WebSocket(url, [...protocols], {
    ...options,
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  const refused = refusalOf(socket);
  // Before the handshake ends, so that no first message is missed.
  const duplex = createWebSocketStream(socket, { readableObjectMode: true });
  // Reported to who reads or writes; nobody doing so must not end the server.
  duplex.on('error', () => undefined);
  await Promise.race([once(socket, 'open'), refused]);
  const pinging = setInterval(() => socket.ping(), PING_MS).unref();
  socket.once('close', () => clearInterval(pinging));
  return new StreamSocket(duplex, socket.protocol);
}

/** Rejects if there is an answer that is no WebSocket's; else never settles. */
function refusalOf(socket: WebSocket): Promise<never> {
  return new Promise((_resolve, reject) => {
    socket.on('unexpected-response', (request, answer) => {
      const said = text(answer);
      said
        .then((body) => reject(new ClusterRefusal(answer.statusCode ?? 0, body)), reject)
        .finally(() => {
          request.destroy();
          socket.terminate();
        });
    });
  });
}
