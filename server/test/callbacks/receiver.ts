import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { until } from '../storage/make.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of the body, where it is a callback. */
  readonly event: string;
  readonly sessionId: string;
}

/** Takes callbacks, on an address of this machine, and does with them what the test says. */
export class Receiver {
  readonly received: Received[] = [];
  /** How many were being answered at a time, at most. */
  most = 0;
  answer: (response: ServerResponse, request: Received) => void | Promise<void> = (response) => void response.writeHead(204).end();
  readonly #http: Server;
  #open = 0;

  private constructor(http: Server) {
    this.#http = http;
  }

  static async listen(host = '127.0.0.1', port = 0): Promise<Receiver> {
    const http = createServer();
    const receiver = new Receiver(http);
    http.on('request', (request, response) => {
      receiver.#open += 1;
      receiver.most = Math.max(receiver.most, receiver.#open);
      response.once('close', () => (receiver.#open -= 1));
      response.on('error', () => undefined);
      void text(request).then(
        (body) => {
          const { event = '', session_id: sessionId = '' } = parsed(body);
          const got = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body, event, sessionId };
          receiver.received.push(got);
          return receiver.answer(response, got);
        },
        () => undefined,
      );
    });
    http.listen(port, host);
    await once(http, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }
  get url(): string {
    const { address, port } = this.#http.address() as AddressInfo;
    return `http://${address}:${port}/hook?token=secret-word`;
  }

  of(sessionId: string): string[] {
    return this.received.filter((one) => one.sessionId === sessionId).map(({ event }) => event);
  }

  /** Until this session's are these, in this order. */
  async gets(sessionId: string, events: readonly string[]): Promise<void> {
    await until(() => this.of(sessionId).length >= events.length, `${events.join(', ')} of ${sessionId}`);
  }

  async close(): Promise<void> {
    if (!this.#http.listening) return;
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }
}

function parsed(body: string): { event?: string; session_id?: string } {
  return body.startsWith('{') ? (JSON.parse(body) as { event?: string; session_id?: string }) : {};
}
