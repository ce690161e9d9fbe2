import { ProblemError } from '@berth/contract';
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { Authenticator } from './authenticate.ts';
import { mountBackendAi } from './backend-ai/backend-ai.ts';
import type { Caller } from './caller.ts';
import { answerClientError } from './client-error.ts';
import { EventFeed } from './event-feed.ts';
import { executionHandlers } from './execution-routes.ts';
import { fileHandlers, mountFiles } from './file-routes.ts';
import { guard } from './guard.ts';
import { mountHealth, versionHandlers } from './health-routes.ts';
import { LiveConnections } from './live-connections.ts';
import { keypairHandlers } from './keypair-routes.ts';
import { nodeHandlers } from './node-routes.ts';
import { measure } from './measure.ts';
import type { HttpParts } from './parts.ts';
import { asProblem, PROBLEM_TYPE, toProblem } from './problems.ts';
import { mountEndpoints } from './route.ts';
import { sessionHandlers } from './session-routes.ts';
import { sessionDoor } from './session-sockets.ts';
import { storageHandlers } from './storage-routes.ts';
import { StdinOwners } from './stdin-owners.ts';
import { mountStreams } from './stream-routes.ts';
import { tokenHandlers } from './token-routes.ts';
import { userHandlers } from './user-routes.ts';
import { acceptWebSockets } from './web-sockets.ts';

const BODY_LIMIT = 1024 * 1024;

/** The control plane's API, ready to listen. `close` ends the open connections first: clients are told to come again. */
export function createHttp(parts: HttpParts): FastifyInstance {
  const app = bareServer(parts);
  const { log } = app;
  const authenticator = new Authenticator({ tokens: parts.tokens, now: parts.now, log });
  const live = new LiveConnections({ authenticator, log });
  const feed = new EventFeed({ sessions: parts.sessions, notifications: parts.notifications, log });

  const callers = new WeakMap<FastifyRequest, Promise<Caller>>();
  const signIn = async (request: IncomingMessage, requestId: string): Promise<Caller> => ({
    ...(await authenticator.signIn(request.headers.authorization)),
    requestId,
    log,
  });
  const callerOf = (request: FastifyRequest): Promise<Caller> => {
    const caller = callers.get(request) ?? signIn(request.raw, request.id);
    callers.set(request, caller);
    return caller;
  };
  const admit = async (request: IncomingMessage, requestId: string): Promise<Caller> => {
    guard(request, parts.allowedHosts);
    return signIn(request, requestId);
  };

  answerProblems(app);
  measure(app, { metrics: parts.metrics, openConnections: () => live.count + backendAi.live.count });
  app.addHook('onRequest', async (request, reply) => {
    closeAfterOtherProtocol(request, reply);
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    guard(request.raw, parts.allowedHosts);
  });
  mountEndpoints(
    app,
    {
      ...versionHandlers(parts),
      ...userHandlers(parts),
      ...sessionHandlers(parts),
      ...nodeHandlers(parts),
      ...tokenHandlers(parts),
      ...keypairHandlers(parts),
      ...storageHandlers(parts),
      ...fileHandlers(parts),
      ...executionHandlers(parts),
    },
    callerOf,
  );
  const owners = new StdinOwners();
  const backendAi = mountBackendAi(app, { parts, feed, owners });
  mountStreams(app, { parts, feed, live, callerOf });
  mountFiles(app, { parts, feed, live, callerOf });
  mountHealth(app, parts);
  acceptWebSockets(app, { doors: [backendAi.door, sessionDoor(app, { ...parts, log, live, owners, admit })], newId: parts.newId });
  app.addHook('preClose', async () => {
    live.cutAll();
    backendAi.live.cutAll();
    closeIdleUntilClosed(app);
  });
  app.addHook('onClose', () => authenticator.close());
  return app;
}

/** After a request that asked for an upgrade Node's parser tells of no mistake any more: the next one might wait for ever. */
function closeAfterOtherProtocol({ headers }: FastifyRequest, { raw }: FastifyReply): void {
  if (headers.upgrade !== undefined) raw.shouldKeepAlive = false;
}

/** A connection that was busy when the server stopped listening would else be kept for its next request. */
function closeIdleUntilClosed({ server }: FastifyInstance): void {
  const timer = setInterval(() => server.closeIdleConnections(), 50);
  server.once('close', () => clearInterval(timer));
}

function bareServer(parts: HttpParts): FastifyInstance {
  const app = Fastify({
    ...(parts.log === false ? { logger: false } : { loggerInstance: parts.log }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 256 },
    // Of a request its method, route and answer are logged, never its URL: an exec's command stands in there.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => parts.newId(),
    requestIdHeader: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      closeAfterOtherProtocol(request, reply);
      void answer(error, request, reply);
    },
    return503OnClosing: false,
    // Anything else that asks to be upgraded (h2c) is an ordinary request.
    http: { shouldUpgradeCallback: (request: IncomingMessage) => request.headers.upgrade?.toLowerCase() === 'websocket' },
  });
  app.removeContentTypeParser('text/plain');
  return app as unknown as FastifyInstance;
}

function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler(answer);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '/';
    const detail = `there is nothing at ${request.method} ${path}: /api/openapi.json lists what there is`;
    return answer(new ProblemError('not-found', detail), request, reply);
  });
}

function answer(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = asProblem(error);
  // Who has gone is told nothing, and misses nothing.
  const failed = problem.status >= 500 && problem.code !== 'not-supported' && !reply.raw.destroyed;
  if (failed) request.log.error({ err: error, requestId: request.id }, 'a request failed');
  if (problem.code === 'not-signed-in') void reply.header('www-authenticate', 'Bearer');
  if (problem.status === 503) void reply.header('retry-after', '2');
  // As bytes: Fastify adds a charset to text, which JSON does not have.
  const body = Buffer.from(JSON.stringify(toProblem(problem, request.id)));
  return reply.code(problem.status).header('content-type', PROBLEM_TYPE).send(body);
}
