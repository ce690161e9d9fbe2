import { randomBytes } from 'node:crypto';
import { createClient } from '@berth/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { newTokenSecret } from '../../src/domain/users/token.ts';
import { ApiServer } from './api-server.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await ApiServer.start();
});
afterAll(() => server.dispose());

const refusal = async (token: string): Promise<string> => {
  const response = await fetch(new URL('/api/me', server.url), { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe('Bearer');
  return ((await response.json()) as { detail: string }).detail;
};

test("an unknown, a malformed, an expired and a revoked token, and a disabled user's, are told apart", async () => {
  const { alice, root } = server.people;
  expect(await refusal(newTokenSecret(randomBytes(32)).secret)).toContain('not known');
  expect(await refusal('hunter2')).toContain('not one of Berth');
  const short = await alice.client.createToken({ body: { name: 'short', expiresIn: '1ms' } });
  await expect.poll(() => refusal(short.secret)).toContain('expired');
  const leaked = await alice.client.createToken({ body: { name: 'leaked' } });
  await alice.client.revokeToken({ params: { token: leaked.id } });
  expect(await refusal(leaked.secret)).toContain('revoked');
  await root.client.createUser({ body: { name: 'carol' } });
  const hers = await root.client.createToken({ body: { name: 'first', user: 'carol' } });
  await root.client.changeUser({ params: { user: 'carol' }, body: { disabled: true } });
  expect(await refusal(hers.secret)).toContain('disabled');
});

test("a new token works, shows its secret once, and is nobody else's business", async () => {
  const { alice, bob } = server.people;
  const made = await alice.client.createToken({ body: { name: 'laptop', expiresIn: '90d' } });
  expect(made.secret).toMatch(/^berth_[\w-]{43}$/);
  expect(await createClient({ url: server.url, token: made.secret }).getMe()).toMatchObject({ name: 'alice' });
  const listed = await (await server.fetch('/api/tokens', { as: alice })).text();
  expect(listed).toContain(made.prefix);
  expect(listed).not.toContain(made.secret);
  await expect(bob.client.revokeToken({ params: { token: made.id } })).rejects.toMatchObject({ code: 'not-found' });
  await expect(bob.client.createToken({ body: { name: 'x', user: 'alice' } })).rejects.toMatchObject({ code: 'forbidden' });
});

test('an administrator cannot lock herself out', async () => {
  await expect(server.people.root.client.changeUser({ params: { user: 'root' }, body: { disabled: true } })).rejects.toMatchObject({
    code: 'forbidden',
  });
});

test('when a token was last used is written down when the server stops, at the latest', async () => {
  const own = await ApiServer.start();
  const { alice } = own.people;
  await alice.client.getMe();
  await own.close();
  const [token] = (await own.storage.tokens.list(alice.user.id, { limit: 1, cursor: null })).items;
  expect(token?.lastUsedAt).toBeInstanceOf(Date);
  await own.storage.close();
});

test('revoking a token cuts what it holds open', async () => {
  const { alice } = server.people;
  const session = await alice.client.createSession({ body: {} });
  const { secret, id } = await alice.client.createToken({ body: { name: 'open' } });
  const headers = { authorization: `Bearer ${secret}` };
  const socket = new WebSocket(new URL(`/api/sessions/${session.id}/attach`, server.url), { headers });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('open', resolve));
  const events = await fetch(new URL('/api/events', server.url), { headers });
  await alice.client.revokeToken({ params: { token: id } });
  expect(await closed).toBe(1008);
  expect(await events.text()).toContain('retry:');
});
