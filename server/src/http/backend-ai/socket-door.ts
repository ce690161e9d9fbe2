import type { FastifyBaseLogger } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { parse as parseQuery } from 'node:querystring';
import { guard } from '../guard.ts';
import type { CutReason } from '../live-connections.ts';
import { matchPath } from '../match-path.ts';
import type { OpenSocket } from '../open-socket.ts';
import { whenClosed } from '../when-closed.ts';
import { targetOf, type Door, type Entry, type Talk } from '../web-sockets.ts';
import type { Admission } from './admission.ts';
import type { SocketRoute, Surface } from './call.ts';
import { mergeParameters } from './parameters.ts';
import { UNSIGNED } from './rate-limit.ts';
import { asRefusal, PROBLEM_CONTENT_TYPE, problemBody, Refusal } from './refusal.ts';
import type { SignedCaller } from './signature-check.ts';

interface DoorParts {
  readonly surface: Surface;
  readonly routes: readonly SocketRoute[];
  readonly admission: Admission;
  readonly log: FastifyBaseLogger;
  /** Whether an address is theirs, whatever is there. */
  readonly has: (path: string) => boolean;
}
interface Admitted {
  readonly caller: SignedCaller;
  readonly route: SocketRoute;
  readonly talk: Talk;
}

/** WebSockets whose upgrade is signed as their other requests are. */
export const socketDoor = (parts: DoorParts): Door => ({
  has: parts.has,
  async ask(request, requestId) {
    let headers: Readonly<Record<string, string>> = { server: 'BackendAI', ...UNSIGNED };
    try {
      const admitted = await prepare(parts, { request, requestId }, (said) => (headers = { ...headers, ...said }));
      return { admitted: true, headers, talk: (socket) => hold(parts, admitted, socket) };
    } catch (error) {
      return refusalOf(error, { requestId, headers, log: parts.log });
    }
  },
});

async function prepare(
  { surface, routes, admission }: DoorParts,
  { request, requestId }: { request: IncomingMessage; requestId: string },
  say: (headers: Readonly<Record<string, string>>) => void,
): Promise<Admitted> {
  guard(request, surface.parts.allowedHosts);
  const { path, query } = targetOf(request);
  const found = routes.flatMap((route) => {
    const params = matchPath(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  })[0];
  if (found === undefined) throw new Refusal('url-not-found', `there is no WebSocket at ${path}`, { data: path });
  const signed = { method: 'GET', target: request.url ?? '', headers: request.headers };
  const caller = await admission.admit(signed, requestId, say);
  const over = new AbortController();
  whenClosed(request.socket, () => over.abort());
  const call = {
    path: found.params,
    parameters: mergeParameters(parseQuery(query), Buffer.alloc(0)),
    given: () => new Set<string>(),
    open: () => over.signal,
  };
  return { caller, route: found.route, talk: await found.route.prepare(call, caller) };
}

async function hold({ surface, log }: DoorParts, { caller, route, talk }: Admitted, socket: OpenSocket): Promise<void> {
  try {
    const release = surface.live.add(caller, (reason) => cut(socket, reason, route));
    socket.gone.addEventListener('abort', release, { once: true });
    await talk(socket);
  } catch (error) {
    const { kind, status } = asRefusal(error);
    if (status === 500) log.error({ err: error, requestId: caller.requestId }, 'a WebSocket failed');
    socket.close(status === 503 ? 1012 : 1011, kind);
  }
}

/** At once: a client that does not read its farewell is not waited for. */
function cut(socket: OpenSocket, reason: CutReason, { farewell }: SocketRoute): void {
  if (farewell !== undefined) void socket.send(JSON.stringify(farewell(reason)));
  if (reason.kind === 'stopping') socket.close(1012, 'the server is stopping: connect again');
  else socket.close(1008, reason.problem.code);
}

function refusalOf(
  error: unknown,
  { requestId, headers, log }: { requestId: string; headers: Readonly<Record<string, string>>; log: FastifyBaseLogger },
): Entry {
  const refusal = asRefusal(error);
  if (refusal.status === 500) log.error({ err: error, requestId }, 'a WebSocket could not be opened');
  return {
    admitted: false,
    status: refusal.status,
    headers: { ...headers, 'content-type': PROBLEM_CONTENT_TYPE, ...(refusal.status === 503 && { 'retry-after': '2' }) },
    body: JSON.stringify(problemBody(refusal)),
  };
}
