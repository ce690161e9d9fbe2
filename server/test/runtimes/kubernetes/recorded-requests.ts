import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PATCH: 'patch', PUT: 'update', DELETE: 'delete' };

/** Every request that carries a token, also those that become WebSockets, as the API server's authorization sees it. */
export class RecordedRequests {
  /** "VERB RESOURCE", in a namespace, or "VERB RESOURCE everywhere". */
  readonly used = new Set<string>();
  /** Answers 401 and 403. */
  readonly refused: string[] = [];
  readonly #authorization: string;

  constructor(token: string) {
    this.#authorization = `Bearer ${token}`;
    subscribe('http.client.request.start', this.#onRequest);
    subscribe('http.client.response.finish', this.#onResponse);
  }

  stop(): void {
    unsubscribe('http.client.request.start', this.#onRequest);
    unsubscribe('http.client.response.finish', this.#onResponse);
  }

  readonly #onRequest = (message: unknown): void => {
    const { request } = message as { request: ClientRequest };
    const right = this.#rightOf(request);
    if (right !== undefined) this.used.add(right);
  };

  readonly #onResponse = (message: unknown): void => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    const right = this.#rightOf(request);
    if (right !== undefined && [401, 403].includes(response.statusCode ?? 0)) this.refused.push(right);
  };

  #rightOf(request: ClientRequest): string | undefined {
    return request.getHeader('authorization') === this.#authorization ? rightFor(request.method, request.path) : undefined;
  }
}

/** Undefined for what everybody may ask who has signed in: the version. */
function rightFor(method: string, path: string): string | undefined {
  const { pathname, searchParams } = new URL(path, 'https://cluster');
  const [, place = ''] = /^\/(?:api|apis\/[^/]+)\/[^/]+\/(.+)$/.exec(pathname) ?? [];
  if (place === '') return undefined;
  const [, rest = place] = /^namespaces\/[^/]+\/(.+)$/.exec(place) ?? [];
  const [resource, name, subresource] = rest.split('/');
  const reading = name !== undefined ? 'get' : searchParams.get('watch') === 'true' ? 'watch' : 'list';
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return `${VERBS[method] ?? reading} ${what}${rest === place ? ' everywhere' : ''}`;
}
