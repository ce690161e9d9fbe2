import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EventFeed } from '../event-feed.ts';
import { LiveConnections } from '../live-connections.ts';
import { matchPath } from '../match-path.ts';
import type { HttpParts } from '../parts.ts';
import type { StdinOwners } from '../stdin-owners.ts';
import type { Door } from '../web-sockets.ts';
import { whenClosed } from '../when-closed.ts';
import { Admission } from './admission.ts';
import type { Call, Route, Sent, SocketRoute, Surface } from './call.ts';
import { commitRoutes } from './commit-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { executionRoutes } from './execution-routes.ts';
import { graphqlRoutes } from './graphql/graphql-routes.ts';
import { fileRoutes } from './file-routes.ts';
import { folderRoutes } from './folder-routes.ts';
import { ROUTES_NOT_THERE_YET } from './not-there-yet.ts';
import { historyRoutes } from './history-routes.ts';
import { openRoutes } from './open-routes.ts';
import { mergeParameters, namesGiven, type Parameters } from './parameters.ts';
import { REQUESTS_PER_WINDOW, UNSIGNED } from './rate-limit.ts';
import { readBody } from './read-body.ts';
import { asRefusal, PROBLEM_CONTENT_TYPE, problemBody, Refusal } from './refusal.ts';
import { resourceRoutes } from './resource-routes.ts';
import { serviceRoutes } from './service-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { SignatureCheck, type SignedCaller } from './signature-check.ts';
import { socketDoor } from './socket-door.ts';
import { socketRoutes } from './socket-routes.ts';
import { taskRoutes } from './task-routes.ts';

const FORM = 'multipart/form-data';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** What lies below these is theirs, known or not. */
const FOLDERS = [
  'session',
  'kernel',
  'auth',
  'config',
  'etcd',
  'events',
  'stream',
  'admin',
  'folders',
  'resource',
  'template',
  'manager',
  'scaling-groups',
];

interface Context {
  readonly surface: Surface;
  readonly routes: readonly Route[];
  readonly admission: Admission;
  /** What was found out before the body was read. */
  readonly admitted: WeakMap<FastifyRequest, Admitted>;
}
interface Admitted {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
  readonly caller: SignedCaller | undefined;
}

interface Mounted {
  readonly live: LiveConnections;
  readonly door: Door;
}

/** The session API of Backend.AI, beside Berth's own: translation, nothing else. */
export function mountBackendAi(app: FastifyInstance, shared: { parts: HttpParts; feed: EventFeed; owners: StdinOwners }): Mounted {
  const { log } = app;
  const { parts } = shared;
  const signatures = new SignatureCheck({ keypairs: parts.keypairs, now: parts.now, log });
  const live = new LiveConnections({ authenticator: signatures, log });
  const surface: Surface = { ...shared, live };
  const sockets = socketRoutes(surface).flatMap(withAlias);
  const routes = allRoutes(surface);
  const admission = new Admission({ signatures, requestsPerWindow: parts.signedRequestsPerWindow ?? REQUESTS_PER_WINDOW, now: parts.now });
  const context: Context = { surface, routes, admission, admitted: new WeakMap() };

  // A scope of its own: what is said and read differently here does not concern Berth's own routes.
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, async (_: FastifyRequest, body: Buffer) => body);
    // Stays where it is, until somebody takes it.
    scope.addContentTypeParser(FORM, (_request, _payload, done) => done(null));
    scope.setErrorHandler((error, request, reply) => answerProblem(error, request, reply));
    const paths = new Set([...routes.map(({ path }) => path), ...FOLDERS.flatMap((folder) => [`/${folder}`, `/${folder}/*`])]);
    for (const url of paths) {
      scope.route({
        method: METHODS,
        url,
        exposeHeadRoute: false,
        onRequest: (request, reply) => admit(context, request, reply),
        handler: (request, reply) => answer(context, request, reply),
      });
    }
  });
  const has = (path: string): boolean => FOLDERS.includes(path.split('/')[1] ?? '');
  return { live, door: socketDoor({ surface, routes: sockets, admission, log, has }) };
}

/** Every ordinary request there is, under each of its paths. */
export function allRoutes(surface: Surface): readonly Route[] {
  const sockets = socketRoutes(surface).map(({ path }): Route => ({
    method: 'GET',
    path,
    handle: () => Promise.reject(new Refusal('invalid-api-params', 'this address speaks WebSocket: send an upgrade request')),
  }));
  return [
    ...openRoutes,
    ...sessionRoutes(surface),
    ...historyRoutes(surface),
    ...commitRoutes(surface),
    ...executionRoutes(surface),
    ...eventRoutes(surface),
    ...serviceRoutes(surface),
    ...resourceRoutes(surface),
    ...graphqlRoutes(surface),
    ...folderRoutes(surface),
    ...fileRoutes(surface),
    ...taskRoutes(surface),
    ...sockets,
    ...ROUTES_NOT_THERE_YET,
  ].flatMap(withAlias);
}

/** Clients that have not asked for the version yet say `kernel` where later ones say `session`. */
function withAlias<T extends Route | SocketRoute>(route: T): readonly T[] {
  const alias = route.path.replace(/^\/(stream\/)?session(?=\/|$)/, '/$1kernel');
  return alias === route.path ? [route] : [route, { ...route, path: alias }];
}

/** Before the body is read: which route, in which version, and who asks. */
async function admit(context: Context, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  void reply.headers({ server: 'BackendAI', ...UNSIGNED });
  const { route, path } = routeOf(context.routes, request);
  if (route.open === true) {
    context.admitted.set(request, { route, path, caller: undefined });
    return;
  }
  const signed = { method: methodOf(request), target: request.raw.url ?? '', headers: request.headers };
  const caller = await context.admission.admit(signed, request.id, (headers) => void reply.headers(headers));
  context.admitted.set(request, { route, path, caller });
}

/** POST may stand for a method that something on the way does not let through. */
function methodOf({ method, headers }: FastifyRequest): string {
  const override = headers['x-method-override'];
  return method === 'POST' && typeof override === 'string' ? override.toUpperCase() : method;
}

function routeOf(routes: readonly Route[], request: FastifyRequest): { route: Route; path: Readonly<Record<string, string>> } {
  const asked = request.url.split('?')[0] ?? '/';
  const pattern = request.routeOptions.url ?? '';
  const here = routes.filter(({ path }) => path === pattern);
  if (here.length === 0)
    throw new Refusal('url-not-found', `there is nothing at ${asked}: see docs/backend-ai.md for what there is`, { data: asked });
  const method = methodOf(request);
  const route = here.find((one) => one.method === method);
  if (route === undefined)
    throw new Refusal('method-not-allowed', `${asked} is not asked by ${method}, but by ${here.map((one) => one.method).join(' or ')}`);
  return { route, path: matchPath(pattern, asked) ?? {} };
}

async function answer(context: Context, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const admitted = context.admitted.get(request);
  if (admitted === undefined) throw new Error(`${request.url} was not admitted`);
  const { route, path, caller } = admitted;
  const body = request.method === 'GET' ? await readBody(request.raw) : request.body;
  const asked = [request.query as Parameters, Buffer.isBuffer(body) ? body : Buffer.alloc(0)] as const;
  const open = (): AbortSignal => openFor(context.surface, caller, reply);
  const call: Call = { path, parameters: mergeParameters(...asked), given: () => namesGiven(...asked), open, ...formOf(request, route) };
  if (route.open === true) return send(reply, await route.handle(call));
  if (caller === undefined) throw new Error(`${request.url} was not signed`);
  return send(reply, await route.handle(call, caller));
}

function formOf(request: FastifyRequest, { takesForm = false }: Route): Pick<Call, 'form'> {
  const contentType = request.headers['content-type'] ?? '';
  if (request.method === 'GET' || contentType.split(';')[0]?.trim().toLowerCase() !== FORM) return {};
  if (!takesForm) throw new Refusal('invalid-api-params', 'this request takes no form: send one JSON object, or nothing');
  return { form: { contentType, request: request.raw } };
}

function openFor({ live }: Surface, caller: SignedCaller | undefined, reply: FastifyReply): AbortSignal {
  const over = new AbortController();
  const release = caller === undefined ? () => undefined : live.add(caller, () => over.abort());
  whenClosed(reply.raw, () => {
    release();
    over.abort();
  });
  return over.signal;
}

function send(reply: FastifyReply, { status, body, stream, bytes }: Sent): FastifyReply {
  if (bytes !== undefined) return reply.header('content-type', bytes.type).send(bytes.content);
  if (stream !== undefined) return reply.header('content-type', 'text/event-stream').header('x-accel-buffering', 'no').send(stream);
  // Without a body there must be no content type: clients parse by that alone.
  return reply.code(status).send(body);
}

function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = asRefusal(error);
  // What is refused on purpose is no failure, nor is a client that gives up waiting after seconds, to ask again.
  const failed = refusal.status >= 500 && refusal.kind !== 'not-implemented' && refusal !== error && !reply.raw.destroyed;
  if (failed) request.log.error({ err: error, requestId: request.id }, 'a request failed');
  if (refusal.status === 503) void reply.header('retry-after', '2');
  // Some are refused before anything else was said of them.
  void reply.headers({ server: 'BackendAI', ...(reply.hasHeader('x-ratelimit-limit') ? {} : UNSIGNED) });
  return reply
    .code(refusal.status)
    .header('content-type', PROBLEM_CONTENT_TYPE)
    .send(Buffer.from(JSON.stringify(problemBody(refusal))));
}
