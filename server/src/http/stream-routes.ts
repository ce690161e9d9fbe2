import { ProblemError, SessionEvent, streams, type StreamEndpoint } from '@berth/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import type { z } from 'zod';
import { isFinal } from '../domain/sessions/lifecycle.ts';
import type { StoredEvent } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';
import { audit, type Caller } from './caller.ts';
import { FROM_NOW, type EventFeed } from './event-feed.ts';
import { followLog } from './follow-log.ts';
import type { CutReason, LiveConnections } from './live-connections.ts';
import type { HttpParts } from './parts.ts';
import { checkedRequest, type CallerOf } from './route.ts';
import { containerNamed, findSession } from './session-access.ts';
import { tailOf } from './log-chunks.ts';
import { readLog } from './session-log.ts';
import { serverSentEvents } from './sse.ts';
import { whenClosed } from './when-closed.ts';

export interface StreamParts {
  readonly parts: HttpParts;
  readonly feed: EventFeed;
  readonly live: LiveConnections;
  readonly callerOf: CallerOf;
}

/** The streams of the contract that are plain HTTP; the WebSockets are in session-sockets.ts. */
export function mountStreams(app: FastifyInstance, context: StreamParts): void {
  const get = (endpoint: StreamEndpoint, handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>) =>
    app.route({ method: 'GET', url: endpoint.path, exposeHeadRoute: false, handler });
  get(streams.watchSessions, (request, reply) => watchSessions(context, request, reply));
  get(streams.watchSession, (request, reply) => watchSession(context, request, reply));
  get(streams.sessionLogs, (request, reply) => sessionLogs(context, request, reply));
}

async function watchSessions(context: StreamParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const caller = await context.callerOf(request);
  const { query } = checked(streams.watchSessions, request);
  const signal = openFor(context, { caller, reply });
  const after = lastEventId(request) ?? query.after ?? FROM_NOW;
  return sendEvents(reply, context.feed.follow({ ownerId: caller.user.id, sessionId: null }, after, signal));
}

async function watchSession(context: StreamParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { parts, feed } = context;
  const caller = await context.callerOf(request);
  const { params, query } = checked(streams.watchSession, request);
  const session = await findSession(parts.sessions, caller, { text: params.session, access: 'metadata' });
  const after = lastEventId(request) ?? query.after ?? null;
  const signal = openFor(context, { caller, reply });
  return sendEvents(
    reply,
    untilFinal(session, (stop) => feed.follow({ ownerId: null, sessionId: session.id }, after, AbortSignal.any([signal, stop]))),
  );
}

/** Ends after the event of the final state; at once for who has seen that one already. */
async function* untilFinal(session: Session, follow: (stop: AbortSignal) => AsyncGenerator<StoredEvent>): AsyncGenerator<StoredEvent> {
  const stop = new AbortController();
  if (isFinal(session.state)) stop.abort();
  for await (const event of follow(stop.signal)) {
    yield event;
    if (event.kind === 'state' && isFinal(event.state)) return;
  }
}

async function sessionLogs(context: StreamParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { parts } = context;
  const caller = await context.callerOf(request);
  const { params, query } = checked(streams.sessionLogs, request);
  const session = await findSession(parts.sessions, caller, { text: params.session, access: 'content' });
  audit(caller, 'session.logs', session);
  const of = { session, container: containerNamed(session, query.container) };
  const signal = openFor(context, { caller, reply });
  const wanted = (chunk: { stream: 'stdout' | 'stderr' }): boolean => query.stream === 'both' || query.stream === chunk.stream;
  if (!query.follow) {
    const chunks = (await readLog(parts, of, signal)).filter(wanted);
    const shown = query.tail === undefined ? chunks : tailOf(chunks, query.tail);
    return sendBytes(
      reply,
      Readable.from(
        shown.map(({ data }) => data),
        { objectMode: false },
      ),
    );
  }
  async function* bytes(): AsyncGenerator<Buffer> {
    for await (const chunk of followLog(parts, { ...of, tail: query.tail, signal })) if (wanted(chunk)) yield chunk.data;
  }
  return sendBytes(reply, Readable.from(bytes(), { objectMode: false }));
}

/** Fires when the client goes away, the server stops or the token behind the request is no longer good; its reason is a problem. */
export function openFor(
  { live }: Pick<StreamParts, 'live'>,
  { caller, reply }: { caller: Pick<Caller, 'tokenHash'>; reply: FastifyReply },
): AbortSignal {
  const over = new AbortController();
  const release = live.add(caller, (reason) => over.abort(problemOfCut(reason)));
  whenClosed(reply.raw, () => {
    release();
    over.abort(new ProblemError('bad-request', 'the client went away before its answer'));
  });
  return over.signal;
}

const problemOfCut = (reason: CutReason): ProblemError =>
  reason.kind === 'stopping' ? new ProblemError('shutting-down', 'this server is stopping: try again in a moment') : reason.problem;

function sendEvents(reply: FastifyReply, events: AsyncGenerator<StoredEvent>): FastifyReply {
  const text = Readable.from(serverSentEvents(presented(events)), { objectMode: false });
  return reply.header('content-type', 'text/event-stream').header('x-accel-buffering', 'no').send(text);
}

async function* presented(events: AsyncGenerator<StoredEvent>): AsyncGenerator<SessionEvent> {
  for await (const { at, ...event } of events) yield SessionEvent.parse({ ...event, at: at.toISOString() });
}

const sendBytes = (reply: FastifyReply, bytes: Readable): FastifyReply =>
  reply.header('content-type', 'application/octet-stream').send(bytes);

function lastEventId({ headers }: FastifyRequest): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

type Checked<S extends StreamEndpoint> = (S extends { params: infer P extends z.ZodType } ? { params: z.output<P> } : unknown) &
  (S extends { query: infer Q extends z.ZodType } ? { query: z.output<Q> } : unknown);

/** The request as its stream's schemas say, which is what `checkedRequest` makes of it. */
export function checked<S extends StreamEndpoint>(endpoint: S, request: { params: unknown; query: unknown }): Checked<S> {
  return checkedRequest(endpoint, request) as Checked<S>;
}
