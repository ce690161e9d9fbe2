import { ProblemError, streams, type StreamEndpoint } from '@berth/contract';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { parse as parseQuery } from 'node:querystring';
import { Attachment, type AttachParts } from './attach.ts';
import { audit, type Caller } from './caller.ts';
import { parseCommand, refuseUnlessRunning, runExec } from './exec.ts';
import { FrameSocket } from './frame-socket.ts';
import type { CutReason, LiveConnections } from './live-connections.ts';
import { matchPath } from './match-path.ts';
import type { OpenSocket } from './open-socket.ts';
import { asProblem, PROBLEM_TYPE, toProblem } from './problems.ts';
import { containerNamed, findSession } from './session-access.ts';
import { checked } from './stream-routes.ts';
import { targetOf, type Door, type Entry } from './web-sockets.ts';

export interface SessionSocketParts extends AttachParts {
  readonly live: LiveConnections;
  readonly log: FastifyBaseLogger;
  /** The same checks as for every other request. */
  readonly admit: (request: IncomingMessage, requestId: string) => Promise<Caller>;
}
type Frames = (socket: FrameSocket) => Promise<void>;
type Prepare = (parts: SessionSocketParts, caller: Caller, request: { params: unknown; query: unknown }) => Promise<Frames>;

const ROUTES: readonly { readonly endpoint: StreamEndpoint; readonly prepare: Prepare }[] = [
  { endpoint: streams.attachSession, prepare: prepareAttach },
  { endpoint: streams.execSession, prepare: prepareExec },
];

/** The WebSockets of the contract. */
export function sessionDoor(app: FastifyInstance, parts: SessionSocketParts): Door {
  for (const { endpoint } of ROUTES) {
    app.get(endpoint.path, { exposeHeadRoute: false }, () => {
      throw new ProblemError('bad-request', 'this address speaks WebSocket: send an upgrade request');
    });
  }
  return {
    has: () => true,
    async ask(request, requestId) {
      try {
        const { caller, frames } = await prepare(parts, request, requestId);
        return { admitted: true, headers: {}, talk: (socket) => hold(parts, { caller, frames, socket }) };
      } catch (error) {
        return refusal(error, requestId, parts.log);
      }
    },
  };
}

async function prepare(
  parts: SessionSocketParts,
  request: IncomingMessage,
  requestId: string,
): Promise<{ caller: Caller; frames: Frames }> {
  const caller = await parts.admit(request, requestId);
  const { path, query } = targetOf(request);
  for (const route of ROUTES) {
    const params = matchPath(route.endpoint.path, path);
    if (params === undefined) continue;
    return { caller, frames: await route.prepare(parts, caller, { params, query: parseQuery(query) }) };
  }
  throw new ProblemError('not-found', `there is no WebSocket at ${path}`);
}

async function prepareAttach(parts: SessionSocketParts, caller: Caller, request: { params: unknown; query: unknown }): Promise<Frames> {
  const { params, query } = checked(streams.attachSession, request);
  const session = await findSession(parts.sessions, caller, { text: params.session, access: 'content' });
  const container = containerNamed(session, query.container);
  audit(caller, 'session.attach', session);
  const size = query.rows === undefined || query.cols === undefined ? undefined : { rows: query.rows, cols: query.cols };
  return (socket) => new Attachment(parts, { session, container, socket, size, replay: query.replay, stdin: query.stdin }).run();
}

async function prepareExec(parts: SessionSocketParts, caller: Caller, request: { params: unknown; query: unknown }): Promise<Frames> {
  const { params, query } = checked(streams.execSession, request);
  const command = parseCommand(query.command);
  const session = await findSession(parts.sessions, caller, { text: params.session, access: 'content' });
  const container = containerNamed(session, query.container);
  refuseUnlessRunning(session);
  audit(caller, 'session.exec', session);
  const tty = query.tty ? { rows: query.rows ?? 24, cols: query.cols ?? 80 } : null;
  return (socket) => runExec(parts.runtime, socket, { session, container, exec: { command, tty } });
}

async function hold(
  { live, log }: SessionSocketParts,
  { caller, frames, socket: open }: { caller: Caller; frames: Frames; socket: OpenSocket },
): Promise<void> {
  const socket = new FrameSocket(open);
  try {
    const release = live.add(caller, (reason) => cut(socket, reason));
    socket.gone.addEventListener('abort', release, { once: true });
    await frames(socket);
  } catch (error) {
    const problem = asProblem(error);
    if (problem.code === 'internal') log.error({ err: error, requestId: caller.requestId }, 'a WebSocket failed');
    // Whoever is told to come again is not told of a failure.
    if (problem.status === 503) return socket.close(1012, problem.code);
    void socket.control({ type: 'problem', code: problem.code, message: problem.message });
    socket.close(1011, problem.code);
  }
}

function cut(socket: FrameSocket, reason: CutReason): void {
  if (reason.kind === 'stopping') socket.close(1012, 'the server is stopping: connect again');
  else socket.refuse(reason.problem.code, reason.problem.message);
}

function refusal(error: unknown, requestId: string, log: FastifyBaseLogger): Entry {
  const problem = asProblem(error);
  if (problem.code === 'internal') log.error({ err: error, requestId }, 'a WebSocket could not be opened');
  const body = JSON.stringify(toProblem(problem, requestId));
  return { admitted: false, headers: { 'content-type': PROBLEM_TYPE }, status: problem.status, body };
}
