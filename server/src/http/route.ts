import { api, type Api, type CheckedRequest, type Endpoint, type ResponseOf } from '@berth/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Caller } from './caller.ts';
import { check } from './check.ts';
import { whenClosed } from './when-closed.ts';

/** An answer whose status is not the endpoint's usual one. */
export class Answer<T> {
  readonly status: 200 | 201;
  readonly body: T;
  constructor(status: 200 | 201, body: T) {
    this.status = status;
    this.body = body;
  }
}

type Handler<E extends Endpoint> = (
  request: CheckedRequest<E>,
  caller: E extends { readonly open: true } ? undefined : Caller,
  /** Makes a signal that fires when nobody waits for the answer any more. */
  open: () => AbortSignal,
) => Promise<ResponseOf<E> | Answer<ResponseOf<E>>>;

/** One for every endpoint of the contract: a missing one does not compile. */
export type Handlers = { readonly [K in keyof Api]: Handler<Api[K]> };

/** Who sent a request; asked again, the same answer. */
export type CallerOf = (request: FastifyRequest) => Promise<Caller>;

export function mountEndpoints(app: FastifyInstance, handlers: Handlers, callerOf: CallerOf): void {
  for (const name of Object.keys(api) as (keyof Api)[])
    mount(app, { endpoint: api[name], handler: handlers[name] as LooseHandler, callerOf });
}

/** The table's types hold pair by pair; the loop over it cannot say so. */
type LooseHandler = (request: unknown, caller: Caller | undefined, open: () => AbortSignal) => Promise<unknown>;
interface Mounted {
  readonly endpoint: Endpoint;
  readonly handler: LooseHandler;
  readonly callerOf: CallerOf;
}

function mount(app: FastifyInstance, { endpoint, handler, callerOf }: Mounted): void {
  app.route({
    method: endpoint.method,
    url: endpoint.path,
    // Before the body is read: who is not signed in does not make us parse it.
    onRequest: async (request: FastifyRequest) => {
      if (endpoint.open !== true) await callerOf(request);
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const caller = endpoint.open === true ? undefined : await callerOf(request);
      const result = await handler(checkedRequest(endpoint, request), caller, () => waitedFor(reply));
      const answer = result instanceof Answer ? result : new Answer<unknown>(200, result);
      const status = result instanceof Answer ? result.status : (endpoint.status ?? 200);
      // Parsed on the way out too: what the contract does not name does not leave.
      return reply.code(status).send(endpoint.response.parse(answer.body));
    },
  });
}

function waitedFor(reply: FastifyReply): AbortSignal {
  const over = new AbortController();
  whenClosed(reply.raw, () => over.abort());
  return over.signal;
}

const NoQuery = z.strictObject({});

/** Parameters, query and body, each against its schema; a query parameter nobody knows is refused like an unknown field. */
export function checkedRequest(
  schemas: Pick<Endpoint, 'params' | 'query' | 'body'>,
  request: { params: unknown; query: unknown; body?: unknown },
): Record<string, unknown> {
  return {
    ...(schemas.params === undefined ? {} : { params: check(schemas.params, request.params) }),
    query: check(schemas.query?.strict() ?? NoQuery, request.query),
    // A request without a body asks with nothing but defaults.
    ...(schemas.body === undefined ? {} : { body: check(schemas.body, request.body ?? {}) }),
  };
}
