import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { OpenSocket } from './open-socket.ts';
import { TypedInput } from './typed-input.ts';

const CONNECT_MS = 5_000;
const GOODBYE_MS = 2_000;

/** A connection to this port; undefined when nobody takes it within five seconds, or `signal` fires. Gone when `signal` fires later. */
export async function dial(endpoint: { host: string; port: number }, signal: AbortSignal): Promise<Socket | undefined> {
  const tcp = connect({ ...endpoint, noDelay: true, signal });
  // Who uses the connection sees that it is closed, which is all that an error tells here.
  tcp.on('error', () => tcp.destroy());
  try {
    await once(tcp, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]) });
    return tcp;
  } catch {
    // Refused, unreachable or silent: in any case there is nobody to talk to.
    tcp.destroy();
    return undefined;
  }
}

/** Bytes in both directions, neither side faster than the other takes them. Whichever ends, ends both. */
export async function tunnel(tcp: Socket, socket: OpenSocket): Promise<void> {
  const input = new TypedInput(socket);
  socket.receive((data) => input.write(data));
  input.connect(tcp);
  socket.gone.addEventListener('abort', () => hangUp(tcp), { once: true });
  try {
    for await (const chunk of tcp as AsyncIterable<Buffer>) await socket.send(chunk);
  } catch (error) {
    if (!tcp.destroyed) throw error;
  } finally {
    tcp.destroy();
    socket.close(1000, 'the connection ended');
  }
}

/** What the client sent last still arrives. */
function hangUp(tcp: Socket): void {
  tcp.end();
  setTimeout(() => tcp.destroy(), GOODBYE_MS).unref();
}
