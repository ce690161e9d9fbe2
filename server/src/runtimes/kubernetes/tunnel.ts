import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ClusterClient } from './cluster-client.ts';
import { ClusterRefusal } from './errors.ts';
import { PLAIN_PROTOCOL, type StreamSocket } from './stream-socket.ts';
import { written } from './written.ts';

type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;

const CHANNEL = { data: 0, error: 1 } as const;
/** Each channel's first message is the port's number. */
const PORT_BYTES = 2;
const UNUSED_MS = 5 * 60_000;

interface Target {
  readonly pod: string;
  readonly port: number;
}

/**
 * Ports of pods as ports of 127.0.0.1, for a server that runs outside of the cluster's network: through the API server and the
 * node's agent to the pod. One WebSocket for each connection.
 */
export class Tunnels {
  readonly #client: ClusterClient;
  readonly #log: Log;
  readonly #unusedMs: number;
  readonly #open = new Map<string, Promise<Tunnel>>();

  constructor(client: ClusterClient, options: { readonly log: Log; readonly unusedMs?: number }) {
    this.#client = client;
    this.#log = options.log;
    this.#unusedMs = options.unusedMs ?? UNUSED_MS;
  }

  /** Where to connect to. Stays open while it is used or asked for, and as long as the pod is there. */
  async to(target: Target): Promise<{ host: string; port: number }> {
    const key = `${target.pod}:${target.port}`;
    let opening = this.#open.get(key);
    if (opening === undefined) {
      opening = Tunnel.listen({
        unusedMs: this.#unusedMs,
        connect: () => connectTo(this.#client, target),
        onClose: () => this.#open.delete(key),
        onRefused: (error) => this.#log('debug', 'a connection through the cluster failed', { ...target, error: String(error) }),
      });
      this.#open.set(key, opening);
      opening.catch(() => this.#open.delete(key));
    }
    const tunnel = await opening;
    tunnel.use();
    return { host: '127.0.0.1', port: tunnel.port };
  }

  /** The pod has gone. */
  drop(pod: string): void {
    for (const [key, opening] of this.#open) if (key.startsWith(`${pod}:`)) closeSoon(opening);
  }

  close(): void {
    for (const opening of this.#open.values()) closeSoon(opening);
  }
}

const closeSoon = (opening: Promise<Tunnel>): void =>
  void opening.then(
    (tunnel) => tunnel.close(),
    () => undefined,
  );

function connectTo(client: ClusterClient, { pod, port }: Target): Promise<StreamSocket> {
  return client.connect('cluster.pod-tunnel', client.podPath(pod, 'portforward', [['ports', String(port)]]), [PLAIN_PROTOCOL]);
}

interface TunnelOptions {
  readonly unusedMs: number;
  readonly connect: () => Promise<StreamSocket>;
  readonly onClose: () => void;
  readonly onRefused: (error: unknown) => void;
}

class Tunnel {
  readonly #server: Server;
  readonly #options: TunnelOptions;
  readonly #sockets = new Set<Socket>();
  #unused: NodeJS.Timeout | undefined;

  static async listen(options: TunnelOptions): Promise<Tunnel> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Tunnel(server, options);
  }

  constructor(server: Server, options: TunnelOptions) {
    this.#server = server;
    this.#options = options;
    server.unref();
    server.on('connection', (socket) => void this.#carry(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Counts the time without use anew. */
  use(): void {
    clearTimeout(this.#unused);
    this.#unused = setTimeout(() => this.close(), this.#options.unusedMs).unref();
  }

  close(): void {
    if (!this.#server.listening) return;
    clearTimeout(this.#unused);
    this.#options.onClose();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #carry(socket: Socket): Promise<void> {
    clearTimeout(this.#unused);
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    try {
      await carry(socket, await this.#options.connect());
    } catch (error) {
      this.#options.onRefused(error);
      if (error instanceof ClusterRefusal && error.status === 404) this.close();
    }
    socket.destroy();
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0 && this.#server.listening) this.use();
  }
}

/** Until either half has ended; then both are closed. Throws what the other side says went wrong. */
async function carry(socket: Socket, remote: StreamSocket): Promise<void> {
  void sendAll(socket, remote);
  try {
    const seen = new Set<number>();
    for await (const { channel, data } of remote.messages()) {
      const content = seen.has(channel) ? data : data.subarray(PORT_BYTES);
      seen.add(channel);
      if (content.length === 0) continue;
      if (channel === CHANNEL.error) throw new Error(content.toString().trim());
      await written(socket, content);
    }
  } catch (error) {
    if (!socket.readableEnded && !socket.destroyed) throw error;
  } finally {
    remote.close();
    // What was written is still sent.
    if (!socket.destroyed) await new Promise<void>((resolve) => socket.end(() => resolve()));
  }
}

/** Ends the other half with its own end. Never rejects. */
async function sendAll(socket: Socket, remote: StreamSocket): Promise<void> {
  try {
    for await (const data of socket) await remote.send(CHANNEL.data, data as Buffer);
  } catch {
    // The client has gone, or the other side has: this half has ended all the same.
  }
  remote.close();
}
