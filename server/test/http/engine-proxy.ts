import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

/** A socket in front of an engine's own, whose connections can be cut while the engine goes on. */
export class EngineProxy {
  readonly host: string;
  readonly #server: Server;
  readonly #folder: string;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, folder: string, path: string) {
    this.#server = server;
    this.#folder = folder;
    this.host = `unix://${path}`;
  }

  static async before(engine: string): Promise<EngineProxy> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-proxy-'));
    const path = join(folder, 'engine.sock');
    const server = createServer({ allowHalfOpen: true });
    const proxy = new EngineProxy(server, folder, path);
    server.on('connection', (client) => proxy.#join(client, connect({ path: engine.replace('unix://', ''), allowHalfOpen: true })));
    server.listen(path);
    await once(server, 'listening');
    return proxy;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #join(client: Socket, engine: Socket): void {
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
