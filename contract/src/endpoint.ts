import type { z } from 'zod';
import type { ProblemCode } from './problems.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** One request of the API, as data: routes, the OpenAPI document and the typed client all derive from it. */
export interface Endpoint {
  readonly method: Method;
  /** Path parameters are written `:name`. */
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly response: z.ZodType;
  readonly status?: 200 | 201 | 202 | 204;
  readonly problems: readonly ProblemCode[];
  /** Reachable without signing in. */
  readonly open?: boolean;
}

/**
 * What is no question with an answer in JSON. `sse`: server-sent events; `websocket`: frames of frames.ts; `bytes`: a body of any
 * length; `upload`: a PUT with such a body of any content type, answered with `message` in JSON. All but the last are GETs.
 */
export interface StreamEndpoint {
  readonly kind: 'sse' | 'websocket' | 'bytes' | 'upload';
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly message: z.ZodType;
  /** Of `bytes`: the content types there are; default application/octet-stream. */
  readonly media?: readonly string[];
  readonly problems: readonly ProblemCode[];
}

export const endpoint = <const E extends Endpoint>(definition: E): E => definition;
export const stream = <const S extends StreamEndpoint>(definition: S): S => definition;

type Field<E, K extends string> = E extends Record<K, infer T extends z.ZodType> ? { [P in K]: z.input<T> } : unknown;
type Checked<E, K extends string> = E extends Record<K, infer T extends z.ZodType> ? { [P in K]: z.output<T> } : unknown;

/** What a caller hands in: params, query and body, as far as the endpoint has them. */
export type RequestOf<E> = Field<E, 'params'> & Field<E, 'query'> & Field<E, 'body'>;
/** The same after checking: defaults filled in, values parsed. */
export type CheckedRequest<E> = Checked<E, 'params'> & Checked<E, 'query'> & Checked<E, 'body'>;
export type ResponseOf<E extends Endpoint> = z.output<E['response']>;
