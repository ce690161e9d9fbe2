import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { makeOwner, newId } from './make.ts';

let storage: TestStorage;
beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());

describe('users', () => {
  test('a user has a project of her own; another project of hers is found by name and id only where she is a member', async () => {
    const ann = await storage.users.create({ id: newId(), name: 'ann', role: 'admin' });
    const bob = await storage.users.create({ id: newId(), name: 'bob', role: 'user' });
    const own = await storage.users.project(ann.id, null);
    expect(own).toMatchObject({ name: 'ann' });
    expect(await storage.users.project(ann.id, 'ann')).toEqual(own);
    expect(await storage.users.project(ann.id, own?.id ?? '')).toEqual(own);
    expect(await storage.users.project(bob.id, 'ann')).toBeUndefined();
    expect(await storage.users.find('ann')).toEqual(ann);
    expect(await storage.users.find(ann.id)).toEqual(ann);
    expect(ann).toMatchObject({ role: 'admin', domain: 'default', disabled: false, createdAt: expect.any(Date) });
  });

  test('of many who want one name one gets it, and no half user stays', async () => {
    const made = await Promise.allSettled(
      Array.from({ length: 10 }, () => storage.users.create({ id: newId(), name: 'wanted', role: 'user' })),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of made) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'name-taken' });
  });

  test('pages go by name; disabling is told back', async () => {
    await makeOwner(storage, 'zoe');
    const names: string[] = [];
    for (let cursor: string | null = null; ;) {
      const page: Awaited<ReturnType<typeof storage.users.list>> = await storage.users.list({ limit: 2, cursor });
      names.push(...page.items.map(({ name }) => name));
      if ((cursor = page.next) === null) break;
    }
    expect(names).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(names.length);
    const zoe = await storage.users.find('zoe');
    expect(await storage.users.setDisabled(zoe?.id ?? '', true)).toMatchObject({ name: 'zoe', disabled: true });
    expect(await storage.users.setDisabled(newId(), true)).toBeUndefined();
  });
});

describe('tokens', () => {
  const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

  test('are found by hash with their user, in whatever condition', async () => {
    const owner = await makeOwner(storage, 'holder');
    const token = await storage.tokens.create({
      id: newId(),
      name: 'laptop',
      userId: owner.id,
      prefix: 'brt_ab',
      hash: hashOf('x'),
      expiresAt: new Date(5),
    });
    expect(token).toMatchObject({ userName: 'holder', expiresAt: new Date(5), revokedAt: null, lastUsedAt: null });
    await storage.users.setDisabled(owner.id, true);
    expect(await storage.tokens.lookUp(hashOf('x'))).toMatchObject({ token, user: { id: owner.id, name: 'holder', disabled: true } });
    expect(await storage.tokens.lookUp(hashOf('y'))).toBeUndefined();
  });

  test('revoking is repeatable, keeps the first time, and is not for others', async () => {
    const [owner, other] = [await makeOwner(storage), await makeOwner(storage)];
    const { id } = await storage.tokens.create({
      id: newId(),
      name: 't',
      userId: owner.id,
      prefix: 'p',
      hash: hashOf(newId()),
      expiresAt: null,
    });
    expect(await storage.tokens.revoke(other.id, id, new Date(1))).toBeUndefined();
    expect(await storage.tokens.revoke(owner.id, id, new Date(2))).toMatchObject({ revokedAt: new Date(2) });
    expect(await storage.tokens.revoke(null, id, new Date(3))).toMatchObject({ revokedAt: new Date(2) });
    expect(await storage.tokens.revoke(null, 'garbage', new Date(3))).toBeUndefined();
  });

  test('many uses are one write, and a late one does not set the time back', async () => {
    const owner = await makeOwner(storage);
    const make = () =>
      storage.tokens.create({ id: newId(), name: 't', userId: owner.id, prefix: 'p', hash: hashOf(newId()), expiresAt: null });
    const [a, b] = [await make(), await make()];
    await storage.tokens.used(
      new Map([
        [a.id, new Date(9)],
        [b.id, new Date(7)],
      ]),
    );
    await storage.tokens.used(
      new Map([
        [a.id, new Date(8)],
        [newId(), new Date(8)],
      ]),
    );
    const { items } = await storage.tokens.list(owner.id, { limit: 10, cursor: null });
    expect(items.map(({ id, lastUsedAt }) => [id, lastUsedAt])).toEqual([
      [b.id, new Date(7)],
      [a.id, new Date(9)],
    ]);
  });
});

test('quarantine remembers when a stray was first seen and stopped, and forgets those that are gone', async () => {
  const [a, b] = [
    { sessionId: newId(), generation: 1, container: 'main1' },
    { sessionId: 'not an id', generation: 2, container: 'main1' },
  ];
  expect(await storage.quarantine.see([a, b, a], new Date(1))).toHaveLength(2);
  await storage.quarantine.stopped(a, new Date(2));
  expect(await storage.quarantine.see([a], new Date(3))).toEqual([{ ...a, firstSeen: new Date(1), stoppedAt: new Date(2) }]);
  expect(await storage.quarantine.count()).toBe(1);
  expect(await storage.quarantine.see([a, b], new Date(4))).toContainEqual({ ...b, firstSeen: new Date(4), stoppedAt: null });
  expect(await storage.quarantine.see([], new Date(5))).toEqual([]);
});
