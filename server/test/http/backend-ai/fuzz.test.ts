import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allRoutes } from '../../../src/http/backend-ai/backend-ai.ts';
import type { Surface } from '../../../src/http/backend-ai/call.ts';
import { CreateRequest } from '../../../src/http/backend-ai/create-parameters.ts';
import { FakeRuntime } from '../../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../../support/fake-reconciler.ts';
import { fuzz, fuzzCount, FUZZ_TIMEOUT_MS } from '../fuzz/campaign.ts';
import { fromSchema } from '../fuzz/from-schema.ts';
import { Ground } from '../fuzz/ground.ts';
import { rawBytes } from '../fuzz/raw-bytes.ts';
import { requestsOf, type FuzzRequest, type Way } from '../fuzz/requests.ts';
import { wildText } from '../fuzz/wild.ts';
import { Wire, type WireAnswer } from '../fuzz/wire.ts';
import { Stage, TYPE } from './stage.ts';

let stage: Stage;
let reconciler: FakeReconciler;
let ground: Ground;
beforeAll(async () => {
  const runtime = new FakeRuntime();
  stage = await Stage.open({ ...Ground.PARTS, runtime });
  reconciler = await FakeReconciler.start(stage.server.storage, {}, runtime);
  ground = await Ground.prepare(stage.server);
});
afterAll(async () => {
  await reconciler.stop();
  await stage.close();
});

const PARAMETERS = (
  'id name sessionName forced owner_access_key kernel_id app service port envs arguments path file files mode code runId options ' +
  'group scope taskId query variables operationName echo filename'
).split(' ');
const QUERIES = [
  '{ user { username groups { name } } }',
  'query($limit: Int!, $offset: Int!) { compute_session_list(limit: $limit, offset: $offset) { items { id name containers { id } } total_count } }',
  'query($id: UUID!) { compute_session(id: $id) { id status } }',
  '{ __schema { types { name fields { name } } } }',
  'mutation { x }',
  '{ keypair_list(limit: 10, offset: 0) { items { access_key } total_count } }',
  '{'.repeat(300),
];
const value = fc.oneof(
  fc.constantFrom<unknown>(true, 'true', 'query', 'batch', 'main.py', '.', '..', 'default', '8080', 0, 1, ['a', 'b'], '*', ...QUERIES),
  fc.record({ limit: fc.integer(), offset: fc.integer(), id: fc.string() }),
  wildText,
);
const parameters = fc.dictionary(fc.constantFrom(...PARAMETERS), value, { maxKeys: 5 });

/** Creating never waits here: nobody would wait with it. */
const create: Way['body'] = fromSchema(CreateRequest).map((asked) => ({
  ...(asked as object),
  clientSessionToken: 'fuzz-session',
  enqueueOnly: true,
}));
const isCreate = ({ method, path }: { method: string; path: string }): boolean =>
  method === 'POST' && /^\/(session|kernel)(\/_)?(\/create)?$/.test(path);

function ways(): readonly Way[] {
  return allRoutes({ parts: {} } as Surface).map((route) => ({
    method: route.method,
    path: route.path,
    query: isCreate(route) ? parameters.map((query) => ({ ...query, enqueueOnly: 'true' })) : parameters,
    body: isCreate(route) ? create : route.method === 'GET' ? undefined : parameters,
    endless: route.path.includes('events'),
  }));
}

/** Whatever was written over it: a body that can be read as an object does not wait. */
function tamed(request: FuzzRequest): FuzzRequest {
  const text = request.body?.toString('utf8').trimEnd() ?? '';
  const creates = /^\/(session|kernel)(\/_)?(\/create)?(\?|$)/.test(request.target);
  if (!creates || !text.endsWith('}')) return request;
  return { ...request, body: Buffer.from(`${text.slice(0, -1)}${text.length > 2 ? ',' : ''}"enqueueOnly":true}`) };
}

function judge({ endless }: FuzzRequest, { status, headers, body }: WireAnswer): string | undefined {
  if (headers['server'] !== 'BackendAI') return status >= 500 ? 'a failure' : undefined;
  if (headers['x-ratelimit-limit'] === undefined) return 'no rate limit is told';
  if (status < 400) return undefined;
  if (headers['content-type']?.startsWith('application/problem+json') !== true) return 'a refusal that is no problem';
  // Of what may never end only the head was read.
  if (endless) return status < 500 ? undefined : 'a failure';
  const { type, title } = JSON.parse(body) as { type?: string; title?: string };
  if (type === undefined || title === undefined) return 'a problem without type and title';
  if (status < 500 || (status === 501 && type === `${TYPE}not-implemented`)) return undefined;
  return status === 503 && body.includes('has no proxy') ? undefined : 'a failure';
}

test(
  'whatever is sent to whichever address: no failure, no silence, and nothing of others is changed',
  async () => {
    const before = await ground.untouchable();
    await fuzz({
      url: stage.server.url,
      count: fuzzCount(0.7),
      requests: requestsOf({ ways: ways(), names: fc.constantFrom('fuzz-session', ...ground.names) }).map(tamed),
      signed: ({ method, target, body, signed, headers }) => {
        const as = headers['x-method-override'] ?? method;
        const client = signed === 'wrongly' ? stage.bob : stage.js;
        const all = client.signedHeaders(as, signed === 'wrongly' ? '/auth' : target, { hasBody: body !== undefined });
        return signed === 'not' ? { host: all['host'] } : all;
      },
      judge,
    });
    expect(await ground.untouchable()).toEqual(before);
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'bytes that are no request are refused or ignored, and the server goes on',
  async () => {
    const before = await ground.untouchable();
    for (const bytes of fc.sample(rawBytes, Math.min(fuzzCount(0.03), 5_000))) {
      const wire = new Wire(stage.server.url);
      const outcome = await wire.exchange(bytes, { endless: true });
      wire.close();
      if (typeof outcome === 'object')
        expect({ bytes: bytes.toString('latin1'), failed: outcome.status >= 500 }).toMatchObject({ failed: false });
    }
    expect((await stage.js.send('GET', '/auth')).status).toBe(200);
    expect(await ground.untouchable()).toEqual(before);
  },
  FUZZ_TIMEOUT_MS,
);
