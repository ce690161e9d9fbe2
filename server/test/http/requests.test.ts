import { request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiServer } from './api-server.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await ApiServer.start();
});
afterAll(() => server.dispose());

const alice = () => server.people.alice;
const problem = async (response: Response): Promise<Record<string, unknown>> => {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return { ...((await response.json()) as object), status: response.status };
};
const create = (body: unknown) => server.send('POST', '/api/sessions', { as: alice(), body });

/** Headers that fetch does not let a page set. */
async function raw(
  path: string,
  options: { method?: string; headers: Record<string, string>; body?: string },
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(server.url);
  const request = httpRequest({
    host: hostname,
    port,
    path,
    method: options.method ?? 'GET',
    agent: false,
    headers: { authorization: `Bearer ${alice().token}`, ...options.headers },
  });
  request.end(options.body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, text: Buffer.concat(await response.toArray()).toString() };
}

test.each([
  ['an unknown field', { cpus: 1 }, 'invalid-field', 'cpus'],
  ['a malformed name', { name: 'X' }, 'invalid-field', 'name'],
  ['a malformed size', { resources: { memory: '5gb x' } }, 'invalid-field', 'resources.memory'],
  ['a malformed image', { image: 'docker://UPPER CASE' }, 'invalid-field', 'image'],
  ['an image of a store that is not there yet', { image: 'berth://mine' }, 'unsupported-yet', 'image'],
  ['a project that is not there', { project: 'nobodys' }, 'not-found', 'project'],
])('a session is refused, naming the field, for %s', async (_, body, code, field) => {
  expect(await problem(await create(body))).toMatchObject({ code, field, requestId: expect.any(String) });
});

test('a body that is no JSON, of another type, or too large has an answer of its own', async () => {
  const post = (body: string, type: string) =>
    server.fetch('/api/sessions', { method: 'POST', as: alice(), body, headers: { 'content-type': type } });
  expect(await problem(await post('{"name":', 'application/json'))).toMatchObject({ status: 400, code: 'bad-request' });
  expect(await problem(await post('', 'application/json'))).toMatchObject({ status: 400, code: 'bad-request' });
  expect(await problem(await post('name=x', 'application/x-www-form-urlencoded'))).toMatchObject({
    status: 415,
    code: 'wrong-content-type',
  });
  expect(await problem(await post('{}', 'text/plain'))).toMatchObject({ status: 415, code: 'wrong-content-type' });
  expect(await problem(await post(JSON.stringify({ env: { A: 'x'.repeat(1_100_000) } }), 'application/json'))).toMatchObject({
    status: 413,
    code: 'too-large',
  });
});

test('a body may come in chunks', async () => {
  const answer = await raw('/api/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    body: '{"type":"interactive"}',
  });
  expect(answer.status).toBe(201);
});

test('a query parameter nobody knows is refused, not ignored', async () => {
  expect(await problem(await server.fetch('/api/sessions?lmit=5', { as: alice() }))).toMatchObject({
    code: 'invalid-field',
    field: 'lmit',
  });
  expect(await problem(await server.fetch('/api/sessions?state=sleeping', { as: alice() }))).toMatchObject({
    code: 'invalid-field',
    field: 'state',
  });
  expect(await problem(await server.fetch('/api/sessions?cursor=%20', { as: alice() }))).toMatchObject({ code: 'invalid-field' });
});

test('what is not there is a problem too', async () => {
  expect(await problem(await server.fetch('/api/nothing', { as: alice() }))).toMatchObject({ status: 404, code: 'not-found' });
  expect(await problem(await server.fetch('/api/sessions/x/attach', { as: alice() }))).toMatchObject({
    status: 400,
    detail: expect.stringContaining('WebSocket'),
  });
  expect(await problem(await server.fetch('/api/%zz', { as: alice() }))).toMatchObject({ status: 400, code: 'bad-request' });
  expect(await problem(await server.fetch(`/api/sessions/${'x'.repeat(120)}`, { as: alice() }))).toMatchObject({
    status: 404,
    field: 'session',
  });
});

test('a browser is given no leave to read across origins, and HEAD answers as GET without a body', async () => {
  const preflight = await raw('/api/sessions', {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(preflight.status).toBe(404);
  const head = await server.fetch('/api/version', { method: 'HEAD' });
  expect([head.status, await head.text(), head.headers.get('access-control-allow-origin')]).toEqual([200, '', null]);
});

test('a request in pieces that say different lengths is refused', async () => {
  const answer = await raw('/api/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': '2', 'transfer-encoding': 'chunked' },
    body: '{}',
  }).catch((error: unknown) => ({ status: 0, text: String(error) }));
  expect([0, 400]).toContain(answer.status);
});

test('a name that a page of a stranger resolves to this machine is refused', async () => {
  const answer = await raw('/api/sessions', { headers: { host: 'evil.example:4280' } });
  expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('evil.example') });
  expect((await raw('/metrics', { headers: { host: 'evil.example' } })).status).toBe(403);
});

test('a page of another origin changes nothing', async () => {
  const before = (await alice().client.listSessions({ query: { limit: 200 } })).items.length;
  const headers = { 'content-type': 'application/json', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  expect((await raw('/api/sessions', { method: 'POST', headers, body: '{}' })).status).toBe(403);
  expect((await alice().client.listSessions({ query: { limit: 200 } })).items).toHaveLength(before);
});

test('a create repeated with its token answers the same session, and another request with it is refused', async () => {
  const body = { clientToken: 'abc', name: 'only-once' };
  const [first, again] = [await create(body), await create(body)];
  expect([first.status, again.status]).toEqual([201, 200]);
  expect(await again.json()).toMatchObject({ id: ((await first.json()) as { id: string }).id });
  expect(await problem(await create({ ...body, tty: true, stdin: 'open' }))).toMatchObject({ status: 409, code: 'token-reused' });
  expect(await problem(await create({ name: 'only-once' }))).toMatchObject({ status: 409, code: 'name-taken' });
});

test('variables do not leave the server, and nothing secret is logged', async () => {
  const answer = await (await create({ env: { SECRET: 'do-not-tell' } })).text();
  expect(answer).not.toContain('do-not-tell');
  await server.fetch('/api/sessions/x/exec?command=%5B%22do-not-tell%22%5D', { as: alice() });
  expect(server.logged()).not.toContain('do-not-tell');
  expect(server.logged()).not.toContain(alice().token);
  expect(server.logged()).toMatch(/"audit":"session.create","actor":"alice"/);
});

test('a page ends with the cursor of the next, over all sessions and none twice', async () => {
  const { bob } = server.people;
  const made: string[] = [];
  for (let count = 0; count < 5; count += 1) made.push((await bob.client.createSession({ body: {} })).id);
  const seen: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await bob.client.listSessions({ query: { limit: 2, ...(cursor === undefined ? {} : { cursor }) } });
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  }
  expect(seen).toEqual(made.toReversed());
});

test('a session is found by name, id and unique beginning of its id', async () => {
  const session = await alice().client.createSession({ body: { name: 'findable' } });
  for (const text of ['findable', session.id, session.id.slice(0, 30)]) {
    expect(await alice().client.getSession({ params: { session: text } })).toMatchObject({ id: session.id });
  }
  await expect(alice().client.getSession({ params: { session: session.id.slice(0, 4) } })).rejects.toMatchObject({ code: 'ambiguous-id' });
});

test('the API describes itself, and tells whoever runs it how it is', async () => {
  const answers = await Promise.all(
    ['/healthz', '/readyz', '/metrics', '/api/openapi.json', '/api/version'].map((path) => server.fetch(path)),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(await answers[2]?.text()).toContain('berth_http_request_duration_seconds');
  expect(await answers[3]?.json()).toMatchObject({ openapi: '3.1.0' });
  expect(await answers[4]?.json()).toEqual({ name: 'berth', version: '1.2.3', api: 1 });
});
