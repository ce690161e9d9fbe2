import { ProblemError, streams, type StreamEndpoint } from '@berth/contract';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { parse as parseQuery } from 'node:querystring';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Attachment, type AttachParts } from './attach.ts';
import { audit, type Caller } from './caller.ts';
import { parseCommand, refuseUnlessRunning, runExec } from './exec.ts';
import { FrameSocket } from './frame-socket.ts';
import type { CutReason, LiveConnections } from './live-connections.ts';
import { matchPath } from './match-path.ts';
import { asProblem, PROBLEM_TYPE, toProblem } from './problems.ts';
import { findSession } from './session-access.ts';
import { checked } from './stream-routes.ts';

const MAX_MESSAGE_BYTES = 1024 * 1024;

export interface WebSocketParts extends AttachParts {
  readonly live: LiveConnections;
  readonly log: FastifyBaseLogger;
  readonly newId: () => string;
  /** The same checks as for every other request. */
  readonly admit: (request: IncomingMessage, requestId: string) => Promise<Caller>;
}
/** What to do once the upgrade is done; made before it, so that a refusal is still an HTTP answer. */
type Talk = (socket: FrameSocket) => Promise<void>;
type Prepare = (parts: WebSocketParts, caller: Caller, request: { params: unknown; query: unknown }) => Promise<Talk>;

const ROUTES: readonly { readonly endpoint: StreamEndpoint; readonly prepare: Prepare }[] = [
  { endpoint: streams.attachSession, prepare: prepareAttach },
  { endpoint: streams.execSession, prepare: prepareExec },
];

export function acceptWebSockets(app: FastifyInstance, parts: WebSocketParts): void {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false, clientTracking: false });
  for (const { endpoint } of ROUTES) {
    app.get(endpoint.path, { exposeHeadRoute: false }, () => {
      throw new ProblemError('bad-request', 'this address speaks WebSocket: send an upgrade request');
    });
  }
  app.server.on('upgrade', (request: IncomingMessage, raw: Duplex, head: Buffer) => {
    raw.on('error', () => raw.destroy());
    const requestId = parts.newId();
    prepare(parts, request, requestId).then(
      ({ caller, talk }) =>
        server.handleUpgrade(request, raw, head, (ws) => void hold(parts, { caller, talk, socket: new FrameSocket(ws) })),
      (error: unknown) => refuse(raw, error, { requestId, log: parts.log }),
    );
  });
}

async function prepare(parts: WebSocketParts, request: IncomingMessage, requestId: string): Promise<{ caller: Caller; talk: Talk }> {
  const caller = await parts.admit(request, requestId);
  const url = new URL(request.url ?? '/', 'http://localhost');
  for (const route of ROUTES) {
    const params = matchPath(route.endpoint.path, url.pathname);
    if (params === undefined) continue;
    return { caller, talk: await route.prepare(parts, caller, { params, query: parseQuery(url.search.slice(1)) }) };
  }
  throw new ProblemError('not-found', `there is no WebSocket at ${url.pathname}`);
}

async function prepareAttach(parts: WebSocketParts, caller: Caller, request: { params: unknown; query: unknown }): Promise<Talk> {
  const { params, query } = checked(streams.attachSession, request);
  const session = await findSession(parts.sessions, caller, { text: params.session, access: 'content' });
  audit(caller, 'session.attach', session);
  const size = query.rows === undefined || query.cols === undefined ? undefined : { rows: query.rows, cols: query.cols };
  return (socket) => new Attachment(parts, { session, socket, size, replay: query.replay, stdin: query.stdin }).run();
}

async function prepareExec(parts: WebSocketParts, caller: Caller, request: { params: unknown; query: unknown }): Promise<Talk> {
  const { params, query } = checked(streams.execSession, request);
  const command = parseCommand(query.command);
  const session = await findSession(parts.sessions, caller, { text: params.session, access: 'content' });
  refuseUnlessRunning(session);
  audit(caller, 'session.exec', session);
  const tty = query.tty ? { rows: query.rows ?? 24, cols: query.cols ?? 80 } : null;
  return (socket) => runExec(parts.runtime, socket, { session, exec: { command, tty } });
}

async function hold(
  { live, log }: WebSocketParts,
  { caller, talk, socket }: { caller: Caller; talk: Talk; socket: FrameSocket },
): Promise<void> {
  try {
    const release = live.add(caller, (reason) => cut(socket, reason));
    socket.gone.addEventListener('abort', release, { once: true });
    await talk(socket);
  } catch (error) {
    const problem = asProblem(error);
    if (problem.code === 'internal') log.error({ err: error, requestId: caller.requestId }, 'a WebSocket failed');
    // Whoever is told to come again is not told of a failure.
    if (problem.status === 503) return socket.close(1012, problem.code);
    await socket.control({ type: 'problem', code: problem.code, message: problem.message });
    socket.close(1011, problem.code);
  }
}

function cut(socket: FrameSocket, reason: CutReason): void {
  if (reason.kind === 'stopping') socket.close(1012, 'the server is stopping: connect again');
  else void socket.refuse(reason.problem.code, reason.problem.message);
}

function refuse(raw: Duplex, error: unknown, { requestId, log }: { requestId: string; log: FastifyBaseLogger }): void {
  const problem = asProblem(error);
  if (problem.code === 'internal') log.error({ err: error, requestId }, 'a WebSocket could not be opened');
  const body = JSON.stringify(toProblem(problem, requestId));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ];
  raw.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => raw.destroy());
}
