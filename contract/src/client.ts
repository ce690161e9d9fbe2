import { api, type Api } from './api.ts';
import type { Endpoint, RequestOf, ResponseOf } from './endpoint.ts';
import { isProblemCode, Problem, ProblemError } from './problem.ts';

type Call<E extends Endpoint> =
  unknown extends RequestOf<E> ? () => Promise<ResponseOf<E>> : (request: RequestOf<E>) => Promise<ResponseOf<E>>;
export type Client = { readonly [K in keyof Api]: Call<Api[K]> };
export interface ClientOptions {
  readonly url: string;
  readonly token?: string;
  readonly fetch?: typeof fetch;
}

/** A typed client of every endpoint. Throws ProblemError for a problem, and fetch's own error when nobody answers. */
export function createClient(options: ClientOptions): Client {
  const calls = Object.entries(api).map(([name, endpoint]) => [name, (request?: Loose) => send(options, endpoint, request ?? {})]);
  return Object.fromEntries(calls) as Client;
}

interface Loose {
  params?: Record<string, string>;
  query?: Record<string, unknown>;
  body?: unknown;
}

async function send(options: ClientOptions, endpoint: Endpoint, request: Loose): Promise<unknown> {
  const response = await (options.fetch ?? fetch)(urlOf(options.url, endpoint.path, request), {
    method: endpoint.method,
    headers: {
      accept: 'application/json',
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  });
  if (!response.ok) throw await problemOf(response);
  return endpoint.response.parse(await response.json());
}

/** Path parameters filled in and query appended; undefined query values are left out. */
export function urlOf(base: string, path: string, request: { params?: Record<string, string>; query?: Record<string, unknown> }): URL {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(request.params?.[name] ?? ''));
  const url = new URL(filled, base);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

/** Also for the streams, which are not in the table of calls. */
export async function problemOf(response: { status: number; text(): Promise<string> }): Promise<ProblemError> {
  const text = await response.text();
  try {
    const problem = Problem.parse(JSON.parse(text));
    return new ProblemError(
      isProblemCode(problem.code) ? problem.code : 'internal',
      problem.detail,
      problem.field === undefined ? {} : { field: problem.field },
    );
  } catch {
    return new ProblemError('internal', `the server answered ${response.status} without saying why: ${text.slice(0, 200)}`);
  }
}
