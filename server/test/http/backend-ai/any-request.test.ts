import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const PATHS = ['', '/create', '/_/create', '/_/match', '/some-one', '/some-one/logs', '/some-one/rename', '/%00', '/é', '/..', '/[1]'];
const names = [
  'lang',
  'name',
  'type',
  'config',
  'clusterSize',
  'enqueueOnly',
  'forced',
  'id',
  'owner_access_key',
  'dependencies',
  'startsAt',
  'startupCommand',
];
const value = fc.oneof(
  fc.constantFrom(true, 'true', 'debian', 'some-one', 'batch', '4g', '5m', -1, 0, 1, null, '', '\0', '\ud800', 'x'.repeat(70), [], {}, [
    null,
  ]),
  fc.jsonValue({ maxDepth: 4 }),
);
const body = fc.oneof(
  fc
    .dictionary(fc.constantFrom(...names), value)
    .map((asked) => JSON.stringify({ enqueueOnly: true, lang: 'debian', ...asked, maxWaitSeconds: 1 })),
  fc.json(),
  fc.string(),
);
const target = fc
  .tuple(fc.constantFrom('/session', '/kernel'), fc.constantFrom(...PATHS), fc.webQueryParameters())
  .map(([root, path, query]) => `${root}${encodeURI(path)}${query === '' ? '' : `?${query}`}`);

test('whatever a signed request holds, its answer is no mistake of ours', async () => {
  const request = fc.record({ method: fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE'), target, raw: body });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, target: asked, raw }) => {
      const answer = await stage.py.send(method, asked, { raw });
      expect([200, 201, 204, 400, 403, 404, 405, 406, 501]).toContain(answer.status);
      expect(answer.headers['server']).toBe('BackendAI');
    }),
    { numRuns: 400 },
  );
});
