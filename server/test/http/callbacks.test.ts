import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callbackKey } from '../../src/domain/deliveries/signature.ts';
import { OutgoingRules } from '../../src/domain/network/outgoing-rules.ts';
import { ApiServer } from './api-server.ts';

const URL = 'https://hooks.example.org/T0/secret-path?token=secret-word';
let server: ApiServer;
beforeAll(async () => {
  server = await ApiServer.start({}, { outgoing: new OutgoingRules({ allow: ['10.1.0.0/16', 'hooks.internal'] }) });
});
afterAll(() => server.dispose());

describe('a session with a callback', () => {
  test('shows it to its owner whole, to an administrator without path and query, to nobody in the log', async () => {
    const { alice, root } = server.people;
    const made = await alice.client.createSession({ body: { callbackUrl: URL } });
    expect(made.callback).toEqual({ url: URL, lastStatus: null, lastProblem: null, lastAt: null, failures: 0 });
    const params = { session: made.id };
    expect((await alice.client.getSession({ params })).callback?.url).toBe(URL);
    expect((await alice.client.listSessions({ query: {} })).items[0]?.callback?.url).toBe(URL);
    expect((await root.client.getSession({ params })).callback?.url).toBe('https://hooks.example.org/');
    expect((await root.client.terminateSession({ params, body: {} })).callback?.url).toBe('https://hooks.example.org/');
    expect((await root.client.listSessions({ query: { owner: '*' } })).items[0]?.callback?.url).toBe('https://hooks.example.org/');
    for (const secret of ['secret-path', 'secret-word']) expect(server.logged()).not.toContain(secret);
  });
  test('is the same when it is asked for again with its token', async () => {
    const body = { clientToken: 'again', callbackUrl: URL };
    const first = await server.people.alice.client.createSession({ body });
    expect(await server.people.alice.client.createSession({ body })).toEqual(first);
  });
  test('has none where none was asked for', async () => {
    expect((await server.people.alice.client.createSession({ body: {} })).callback).toBeNull();
  });

  test.each([
    ['ftp://hooks.example.org/secret-word', 'of the web'],
    ['https://me:secret-word@hooks.example.org/', 'password'],
    ['http://169.254.169.254/secret-word', 'internal address'],
    ['http://[::1]/secret-word', 'internal address'],
    ['http://0x7f000001/secret-word', 'internal address'],
    ['http://localhost:8080/secret-word', "this server's own machine"],
    [`https://hooks.example.org/${'x'.repeat(2048)}`, 'at most 2048'],
  ])('%s is refused, with the reason, and nothing is made', async (callbackUrl, reason) => {
    const before = await count();
    const answer = await server.send('POST', '/api/sessions', { as: server.people.alice, body: { callbackUrl } });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'invalid-field', field: 'callbackUrl', detail: expect.stringContaining(reason) }),
    ]);
    expect(await count()).toBe(before);
    expect(server.logged()).not.toContain('secret-word');
  });
  test.each(['http://10.1.2.3:8080/', 'http://hooks.internal/'])('%s is taken where the operator allows it', async (callbackUrl) => {
    expect((await server.people.alice.client.createSession({ body: { callbackUrl } })).callback?.url).toBe(callbackUrl);
  });
});

const count = async (): Promise<number> =>
  (await server.people.alice.client.listSessions({ query: { all: 'true', limit: 200 } })).items.length;

test('everybody is told her own key, and that is in the log, without the key', async () => {
  const { alice, bob } = server.people;
  const { key } = await alice.client.getCallbackKey();
  expect(key).toBe(callbackKey(server.storage.secretKey, alice.user.id));
  expect((await bob.client.getCallbackKey()).key).not.toBe(key);
  expect((await server.fetch('/api/me/callback-key')).status).toBe(401);
  expect(server.logged()).toContain('callback-key.show');
  expect(server.logged()).not.toContain(key);
});
