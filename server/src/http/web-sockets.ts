import type { FastifyInstance } from 'fastify';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { OpenSocket } from './open-socket.ts';

const MAX_MESSAGE_BYTES = 1024 * 1024;
type Headers = Readonly<Record<string, string>>;

/** What to do once the upgrade is done. Answers for its own failures, and for the socket until it is closed. */
export type Talk = (socket: OpenSocket) => Promise<void>;

/** Decided before the upgrade, so that a refusal is an ordinary answer. */
export type Entry =
  | { readonly admitted: true; readonly headers: Headers; readonly talk: Talk }
  | { readonly admitted: false; readonly headers: Headers; readonly status: number; readonly body: string };

/** A family of WebSocket addresses: who is let in, and in which words others are refused. */
export interface Door {
  /** `path`: without the query. */
  has(path: string): boolean;
  /** Never fails: whatever goes wrong is a refusal. */
  ask(request: IncomingMessage, requestId: string): Promise<Entry>;
}

/** Hands each upgrade to the first door that has its address; the last has them all. */
export function acceptWebSockets(app: FastifyInstance, { doors, newId }: { doors: readonly Door[]; newId: () => string }): void {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false, clientTracking: false });
  const headers = new WeakMap<IncomingMessage, Headers>();
  server.on('headers', (lines, request) => {
    for (const [name, value] of Object.entries(headers.get(request) ?? {})) lines.push(`${name}: ${value}`);
  });
  app.server.on('upgrade', (request: IncomingMessage, raw: Duplex, head: Buffer) => {
    raw.on('error', () => raw.destroy());
    const { path } = targetOf(request);
    const requestId = newId();
    void doors
      .find((door) => door.has(path))
      ?.ask(request, requestId)
      .then((entry) => {
        const said = { 'x-request-id': requestId, ...entry.headers };
        if (!entry.admitted) return refuse(raw, { ...entry, headers: said });
        headers.set(request, said);
        server.handleUpgrade(request, raw, head, (ws) => void entry.talk(new OpenSocket(ws)));
      });
  });
}

/** Path and query as they came: a target that is no URL must not be mistaken for a failure of ours. */
export function targetOf({ url = '/' }: IncomingMessage): { path: string; query: string } {
  const mark = url.indexOf('?');
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

function refuse(raw: Duplex, { status, headers, body }: { status: number; headers: Headers; body: string }): void {
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' });
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  raw.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => raw.destroy());
}
