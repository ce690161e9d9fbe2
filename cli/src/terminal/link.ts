import {
  CHANNEL,
  ControlFromServer,
  decodeFrame,
  encodeFrame,
  problemOf,
  type ControlFromClient,
  type ProblemError,
} from '@berth/contract';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { createWebSocketStream, WebSocket } from 'ws';
import type { Connection } from '../connection/connect.ts';

const PING_EVERY_MS = 15_000;
const OPEN_WITHIN_MS = 15_000;

export type Arrival =
  | { readonly type: 'stdout' | 'stderr'; readonly bytes: Buffer }
  | { readonly type: 'control'; readonly message: ControlFromServer };

/** One WebSocket of attach or exec. Both directions wait for the slower side. */
export interface Link {
  /** Ends when the connection does, for whatever reason; taken slowly, the server is slowed down. */
  readonly arrivals: AsyncIterable<Arrival>;
  /** Resolves when the bytes are on their way; never rejects: a broken link shows in `arrivals`. */
  sendInput(bytes: Uint8Array): Promise<void>;
  sendControl(message: ControlFromClient): Promise<void>;
  close(): void;
}

/** Throws a ProblemError where the server refuses, the network's error where it is not there. */
export async function openLink(url: URL, { token }: Pick<Connection, 'token'>, signal?: AbortSignal): Promise<Link> {
  const address = new URL(url);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(address, {
    headers: { authorization: `Bearer ${token}` },
    handshakeTimeout: OPEN_WITHIN_MS,
    perMessageDeflate: false,
  });
  const abandon = (): void => socket.terminate();
  signal?.addEventListener('abort', abandon);
  try {
    // Before it is open: the first message may come with the answer.
    const duplex = createWebSocketStream(socket, { readableObjectMode: true, readableHighWaterMark: 16 });
    duplex.on('error', () => undefined);
    await opened(socket);
    keepAlive(socket);
    return linkOver(socket, duplex);
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_, response) => {
      refusal(response).then(reject, reject);
    });
  });
}

async function refusal(response: IncomingMessage): Promise<ProblemError> {
  return problemOf({ status: response.statusCode ?? 0, text: () => text(response) });
}

/** A server that is gone without a word (power, network) is noticed. While we ourselves do not read, nobody is blamed. */
function keepAlive(socket: WebSocket): void {
  let answered = true;
  const timer = setInterval(() => {
    if (!answered && !socket.isPaused) return socket.terminate();
    answered = false;
    socket.ping();
  }, PING_EVERY_MS);
  timer.unref();
  socket.on('pong', () => (answered = true));
  socket.on('message', () => (answered = true));
  socket.once('close', () => clearInterval(timer));
}

function linkOver(socket: WebSocket, duplex: ReturnType<typeof createWebSocketStream>): Link {
  const send = (frame: Buffer): Promise<void> =>
    new Promise((resolve) => {
      if (socket.readyState === WebSocket.OPEN) duplex.write(frame, () => resolve());
      else resolve();
    });
  return {
    arrivals: arrivalsOf(duplex),
    sendInput: (bytes) => send(encodeFrame(CHANNEL.stdin, bytes)),
    sendControl: (message) => send(encodeFrame(CHANNEL.control, JSON.stringify(message))),
    close() {
      socket.close(1000);
      // Whoever does not say goodbye in turn is left standing.
      setTimeout(() => socket.terminate(), 500).unref();
    },
  };
}

async function* arrivalsOf(duplex: AsyncIterable<Buffer>): AsyncGenerator<Arrival> {
  try {
    for await (const message of duplex) {
      const frame = decodeFrame(message);
      if (frame === undefined || frame.channel === CHANNEL.stdin) continue;
      if (frame.channel === CHANNEL.control) {
        yield { type: 'control', message: ControlFromServer.parse(JSON.parse(frame.payload.toString())) };
      } else {
        yield { type: frame.channel === CHANNEL.stdout ? 'stdout' : 'stderr', bytes: frame.payload };
      }
    }
  } catch (error) {
    // A connection that breaks ends the arrivals; what is not understood is a mistake of somebody's.
    if (!(error instanceof Error && ('code' in error || error.name === 'AbortError'))) throw error;
  }
}
