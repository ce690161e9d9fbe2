import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAccessKey } from '../../src/domain/users/keypair.ts';
import { ApiServer } from './api-server.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await ApiServer.start();
});
afterAll(() => server.dispose());

const everywhereElse = async (): Promise<string> => {
  const { root, alice } = server.people;
  const lists = await Promise.all(
    [root, alice].map(async (as) => (await server.fetch(`/api/keypairs${as === root ? '?user=*' : ''}`, { as })).text()),
  );
  return `${lists.join('\n')}\n${server.logged()}`;
};

test('a new key pair shows its secret once, in that answer alone, and is found with it', async () => {
  const { alice } = server.people;
  const { secretKey, ...made } = await alice.client.createKeypair({ body: { name: 'sdk' } });
  expect(made).toMatchObject({ name: 'sdk', user: 'alice', lastUsedAt: null, revokedAt: null });
  expect(isAccessKey(made.accessKey)).toBe(true);
  expect(secretKey).toMatch(/^[\w-]{40}$/);
  expect(await server.storage.keypairs.find(made.accessKey)).toMatchObject({ secretKey, user: { name: 'alice' } });
  expect((await alice.client.listKeypairs({ query: {} })).items).toContainEqual(made);
  const revoked = await (await server.send('DELETE', `/api/keypairs/${made.id}`, { as: alice })).text();
  expect(revoked).toContain(made.accessKey);
  const elsewhere = await everywhereElse();
  expect(elsewhere).toContain(made.accessKey);
  for (const text of [revoked, elsewhere]) expect(text).not.toContain(secretKey);
});

test('the answer with the secret is not for caches', async () => {
  const response = await server.send('POST', '/api/keypairs', { as: server.people.bob, body: {} });
  expect({ status: response.status, cache: response.headers.get('cache-control') }).toEqual({ status: 201, cache: 'no-store' });
});

test('an administrator makes one for a user, and sees and revokes those of all; a user does none of it', async () => {
  const { root, alice, bob } = server.people;
  const made = await root.client.createKeypair({ body: { name: 'for bob', user: 'bob' } });
  expect(made.user).toBe('bob');
  expect((await bob.client.listKeypairs({ query: {} })).items).toContainEqual(expect.objectContaining({ id: made.id }));
  for (const user of ['bob', bob.user.id, '*'])
    expect((await root.client.listKeypairs({ query: { user } })).items).toContainEqual(expect.objectContaining({ id: made.id }));
  expect((await root.client.listKeypairs({ query: {} })).items).not.toContainEqual(expect.objectContaining({ id: made.id }));

  await expect(alice.client.createKeypair({ body: { user: 'bob' } })).rejects.toMatchObject({ code: 'forbidden' });
  for (const user of ['bob', '*'])
    await expect(alice.client.listKeypairs({ query: { user } })).rejects.toMatchObject({ code: 'forbidden' });
  for (const keypair of [made.id, made.accessKey])
    await expect(alice.client.revokeKeypair({ params: { keypair } })).rejects.toMatchObject({ code: 'not-found' });
  await expect(root.client.createKeypair({ body: { user: 'nobody' } })).rejects.toMatchObject({ code: 'not-found', field: 'user' });

  const revoked = await root.client.revokeKeypair({ params: { keypair: made.accessKey } });
  expect(revoked.revokedAt).not.toBeNull();
  expect(await bob.client.revokeKeypair({ params: { keypair: made.id } })).toEqual(revoked);
});

test('making, revoking and looking at those of others is written down, with whose they are', async () => {
  const { root, alice } = server.people;
  const { id } = await root.client.createKeypair({ body: { user: 'alice' } });
  await root.client.listKeypairs({ query: { user: 'alice' } });
  await root.client.revokeKeypair({ params: { keypair: id } });
  const line = (action: string, subject: string): RegExp =>
    new RegExp(`"audit":"keypair.${action}","actor":"root".*"subject":"${subject}"`);
  for (const action of ['create', 'revoke']) expect(server.logged()).toMatch(line(action, id));
  expect(server.logged()).toMatch(line('list', alice.user.id));
  expect(server.logged()).toMatch(new RegExp(`"subject":"${id}".*"owner":"alice"`));
});

test('pages follow one another', async () => {
  const { client } = server.people.root;
  const made: string[] = [];
  for (const name of ['1', '2', '3']) made.unshift((await client.createKeypair({ body: { name } })).id);
  const first = await client.listKeypairs({ query: { limit: 2 } });
  const rest = await client.listKeypairs({ query: { limit: 2, cursor: first.next ?? '' } });
  expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(made);
  expect(rest.next).toBeNull();
});

test('a name that is too long, a field nobody knows and a cursor of another list are refused', async () => {
  const { client } = server.people.alice;
  await expect(client.createKeypair({ body: { name: 'x'.repeat(65) } })).rejects.toMatchObject({ code: 'invalid-field', field: 'name' });
  const unknown = await server.send('POST', '/api/keypairs', { as: server.people.alice, body: { secretKey: 'mine' } });
  expect(unknown.status).toBe(400);
  expect(await unknown.text()).not.toContain('mine');
  await expect(client.listKeypairs({ query: { cursor: 'x' } })).rejects.toMatchObject({ code: 'invalid-field', field: 'cursor' });
});
