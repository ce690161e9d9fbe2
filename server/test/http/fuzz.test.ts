import { api, streams, type Endpoint, type StreamEndpoint } from '@berth/contract';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeRuntime } from '../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../support/fake-reconciler.ts';
import { ApiServer } from './api-server.ts';
import { fuzz, fuzzCount, FUZZ_TIMEOUT_MS } from './fuzz/campaign.ts';
import { fromSchema } from './fuzz/from-schema.ts';
import { Ground } from './fuzz/ground.ts';
import { requestsOf, type FuzzRequest, type Way } from './fuzz/requests.ts';
import type { WireAnswer } from './fuzz/wire.ts';

let server: ApiServer;
let reconciler: FakeReconciler;
let ground: Ground;
beforeAll(async () => {
  const runtime = new FakeRuntime();
  server = await ApiServer.start({}, { ...Ground.PARTS, runtime });
  reconciler = await FakeReconciler.start(server.storage, {}, runtime);
  ground = await Ground.prepare(server);
});
afterAll(async () => {
  await reconciler.stop();
  await server.dispose();
});

/** A name for every session, so that their number stays small. */
const named = (body: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => body.map((asked) => ({ ...(asked as object), name: 'fuzz-session' }));
const nothing = fc.constant({});
const queryOf = ({ query }: Pick<Endpoint, 'query'>): Way['query'] =>
  query === undefined ? nothing : fromSchema(query).map((asked) => ({ ...(asked as Record<string, unknown>) }));

const ways: readonly Way[] = [
  ...Object.values<Endpoint>(api).map((endpoint) => ({
    method: endpoint.method,
    path: endpoint.path,
    query: queryOf(endpoint),
    body:
      endpoint.body === undefined
        ? undefined
        : endpoint === api.createSession
          ? named(fromSchema(endpoint.body))
          : fromSchema(endpoint.body),
  })),
  ...Object.values<StreamEndpoint>(streams).map((stream) => ({
    method: 'GET',
    path: stream.path,
    query: queryOf(stream),
    body: undefined,
    endless: true,
  })),
  ...['/healthz', '/readyz', '/api/openapi.json', '/api/nothing', '/nothing'].map((path) => ({
    method: 'GET',
    path,
    query: nothing,
    body: undefined,
  })),
];

function judge({ endless }: FuzzRequest, { status, headers, body }: WireAnswer): string | undefined {
  if (headers['x-request-id'] === undefined) return status >= 500 ? 'a failure' : undefined;
  if (status >= 500 && status !== 501) return 'a failure';
  if (status < 400) return undefined;
  if (headers['content-type'] !== 'application/problem+json') return 'a refusal that is no problem';
  // Of what may never end only the head was read.
  if (endless) return undefined;
  const { detail, code } = JSON.parse(body) as { detail?: string; code?: string };
  return detail === undefined || code === undefined ? 'a problem without a detail' : undefined;
}

test(
  "whatever is sent to Berth's own API: no failure, no silence, and nothing of others is changed",
  async () => {
    const before = await ground.untouchable();
    const { alice } = server.people;
    await fuzz({
      url: server.url,
      count: fuzzCount(0.27),
      requests: requestsOf({ ways, names: fc.constantFrom('fuzz-session', ...ground.names) }),
      signed: ({ signed, body }) => ({
        host: new URL(server.url).host,
        authorization: signed === 'not' ? undefined : signed === 'well' ? `Bearer ${alice.token}` : `Bearer berth_${'x'.repeat(43)}`,
        'content-type': body === undefined ? undefined : 'application/json',
      }),
      judge,
    });
    expect(await ground.untouchable()).toEqual(before);
  },
  FUZZ_TIMEOUT_MS,
);
