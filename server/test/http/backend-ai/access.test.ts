import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiServer } from '../api-server.ts';
import { BackendAiClient, keysFor, type Answered } from './signing-client.ts';
import { Stage, TYPE } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe('what needs no key', () => {
  test('the version, both parts, for anybody and whatever headers', async () => {
    const answer = await stage.server.fetch('/', {
      headers: { 'x-backendai-version': 'v99.99999999', 'content-type': 'application/json' },
    });
    expect([answer.status, answer.headers.get('server'), await answer.json()]).toEqual([
      200,
      'BackendAI',
      { version: 'v6.20220615', manager: '22.09.19' },
    ]);
  });
  test.each(['/config/resource-slots', '/etcd/resource-slots'])('the slots: %s', async (path) => {
    expect(await (await stage.server.fetch(path)).json()).toEqual({ cpu: 'count', mem: 'bytes', 'cuda.device': 'count' });
  });
  test("Berth's own API is what it was", async () => {
    const own = await stage.server.fetch('/api/sessions', { as: stage.server.people.alice });
    expect([own.status, own.headers.get('server'), own.headers.get('x-ratelimit-limit')]).toEqual([200, null, null]);
    expect((await stage.server.fetch('/api/nothing')).headers.get('content-type')).toBe('application/problem+json');
    expect(((await (await stage.server.fetch('/nothing')).json()) as { code: string }).code).toBe('not-found');
  });
});

describe('who asks', () => {
  test.each(['js', 'py'] as const)('a request signed as %s signs is answered, with the limits', async (sdk) => {
    const client = new BackendAiClient(stage.server.url, stage.keys.alice, sdk);
    const answer = await client.send('GET', '/auth?echo=h%C3%A9llo');
    expect(answer).toMatchObject({ status: 200, body: { authorized: 'yes', echo: 'héllo' } });
    expect(answer.headers).toMatchObject({ server: 'BackendAI', 'x-ratelimit-limit': '30000', 'x-ratelimit-window': '900' });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
  });
  test('with a body, too', async () =>
    expect((await stage.py.send('POST', '/auth/test', { body: { echo: 'x' } })).body).toEqual({ authorized: 'yes', echo: 'x' }));
  test('her roles', async () => {
    expect((await stage.js.send('GET', '/auth/role')).body).toEqual({ global_role: 'user', domain_role: 'user', group_role: 'user' });
    expect((await stage.root.send('GET', '/auth/role')).body).toMatchObject({ global_role: 'superadmin' });
  });

  const old = new Date(Date.now() - 15 * 60_000 - 1_000);
  test.each<[string, Parameters<BackendAiClient['send']>[2], readonly [status: number, kind: string, title: string]]>([
    ['no signature', { headers: { authorization: undefined } }, [401, 'auth-failed', 'Unauthorized access']],
    [
      'a token of Berth',
      { headers: { authorization: 'Bearer berth_x' } },
      [400, 'invalid-auth-params', 'Missing or invalid authorization parameters.'],
    ],
    ['no date', { headers: { 'x-backendai-date': undefined } }, [400, 'invalid-auth-params', 'Date/time sync error']],
    ['an expired clock', { at: old }, [400, 'invalid-auth-params', 'Date/time sync error']],
    [
      'no version',
      { headers: { 'x-backendai-version': undefined } },
      [400, 'invalid-auth-params', 'Missing or invalid authorization parameters.'],
    ],
    [
      'a version nobody knows',
      { headers: { 'x-backendai-version': 'v3.20170215' } },
      [400, 'generic-bad-request', 'Unsupported API version.'],
    ],
    ['another version than was signed', { headers: { 'x-backendai-version': 'v5.20191215' } }, [401, 'auth-failed', 'Signature mismatch']],
    ['another content type than was signed', { headers: { 'content-type': 'text/html' } }, [401, 'auth-failed', 'Signature mismatch']],
  ])('%s is refused', async (_, wish, [status, kind, title]) => {
    const answer = await stage.js.send('GET', '/auth', wish);
    expect(answer).toMatchObject({ status, body: { type: TYPE + kind, title, msg: expect.any(String) } });
    expect(answer.headers).toMatchObject({ server: 'BackendAI', 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '1000' });
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });
  test.each([
    ['of nobody', { id: '', accessKey: 'AKIAAAAAAAAAAAAAAAAA', secretKey: 'x' }, 'Access key not found'],
    ['that is no access key', { id: '', accessKey: "x'; --", secretKey: 'x' }, 'Access key not found'],
  ])('a key %s is refused', async (_, other, title) => {
    expect(await new BackendAiClient(stage.server.url, other, 'js').send('GET', '/auth')).toMatchObject({
      status: 401,
      body: { type: `${TYPE}auth-failed`, title },
    });
  });
  test('a wrong secret, a revoked key and a disabled user are refused, and nothing secret is logged', async () => {
    const carol = await stage.server.storage.users.create({ id: crypto.randomUUID(), name: 'carol', role: 'user' });
    const hers = await keysFor(stage.server, { ...stage.server.people.bob, user: carol });
    const client = new BackendAiClient(stage.server.url, hers, 'py');
    expect((await client.send('GET', '/auth')).status).toBe(200);
    expect(
      await new BackendAiClient(stage.server.url, { ...hers, secretKey: stage.keys.bob.secretKey }, 'py').send('GET', '/auth'),
    ).toMatchObject({
      status: 401,
      body: { title: 'Signature mismatch' },
    });
    await stage.server.storage.users.setDisabled(carol.id, true);
    expect(await client.send('GET', '/auth')).toMatchObject({ status: 401, body: { title: 'Access key not found' } });
    await stage.server.storage.users.setDisabled(carol.id, false);
    await stage.server.storage.keypairs.revoke(null, hers.id, new Date());
    expect(await client.send('GET', '/auth')).toMatchObject({ status: 401, body: { title: 'Access key not found' } });
    for (const secret of [hers.secretKey, stage.keys.bob.secretKey, 'credential=']) expect(stage.server.logged()).not.toContain(secret);
  });
  test('too many requests are refused, key by key', async () => {
    const small = await ApiServer.start({}, { signedRequestsPerWindow: 2 });
    const [alice, other] = [await keysFor(small, small.people.alice), await keysFor(small, small.people.bob)];
    const client = new BackendAiClient(small.url, alice, 'js');
    const answers = [await client.send('GET', '/auth'), await client.send('GET', '/auth'), await client.send('GET', '/auth')];
    expect(answers.map(({ status, headers }) => [status, headers['x-ratelimit-remaining']])).toEqual([
      [200, '1'],
      [200, '0'],
      [429, '0'],
    ]);
    expect(answers[2]?.body).toMatchObject({ type: `${TYPE}rate-limit-exceeded` });
    expect((await new BackendAiClient(small.url, other, 'js').send('GET', '/auth')).status).toBe(200);
    await small.dispose();
  });
});

describe('paths and methods', () => {
  test.each(['/session/x/y/z', '/kernel/a/b', '/admin', '/events/nothing', '/auth/%zz'])(
    '%s is nothing here, said in their words',
    async (path) => {
      const answer = await stage.js.send('GET', path);
      expect([answer.status, answer.body['type'] ?? answer.status]).toEqual(
        path.includes('%zz') ? [400, expect.anything()] : [404, `${TYPE}url-not-found`],
      );
    },
  );
  test('a method a path does not have', async () =>
    expect(await stage.js.send('PUT', '/session')).toMatchObject({ status: 405, body: { type: `${TYPE}method-not-allowed` } }));
  test('POST stands for another method that it names, if that one was signed', async () => {
    const { id } = await stage.running();
    const post = (signedAs: string): Promise<Answered> =>
      stage.js.send('POST', `/session/${id}`, { headers: { 'x-method-override': 'PATCH' }, signedAs });
    expect(await post('POST')).toMatchObject({ status: 401, body: { title: 'Signature mismatch' } });
    expect(await post('PATCH')).toMatchObject({ status: 204, text: '' });
  });
  test.each([
    ['POST', '/session/_/create-from-template', { id: 'x' }],
    ['POST', '/session/_/create-cluster', { id: 'x' }],
    ['GET', '/kernel/_/logs', undefined],
  ])('%s %s is not there yet, and says so', async (method, path, body) => {
    expect(await stage.js.send(method, path, { body })).toMatchObject({
      status: 501,
      body: { type: `${TYPE}not-implemented`, msg: expect.stringContaining('not there yet') },
    });
  });
});
