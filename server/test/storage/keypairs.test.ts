import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEYPAIR_BYTES, makeKeys } from '../../src/domain/users/keypair.ts';
import type { NewKeypair } from '../../src/domain/users/keypair-store.ts';
import { PostgresKeypairStore } from '../../src/storage/keypair-store.ts';
import { openStorage } from '../../src/storage/storage.ts';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { makeOwner, newId } from './make.ts';

let storage: TestStorage;
beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());

const drawn = (userId: string): NewKeypair => ({ id: newId(), userId, name: 'sdk', ...makeKeys(randomBytes(KEYPAIR_BYTES)) });

describe('key pairs', () => {
  test('are found by access key with their user and secret, in whatever condition', async () => {
    const owner = await makeOwner(storage, 'holder');
    const pair = drawn(owner.id);
    const keypair = await storage.keypairs.create(pair);
    expect(keypair).toEqual({
      id: pair.id,
      accessKey: pair.accessKey,
      userId: owner.id,
      userName: 'holder',
      name: 'sdk',
      createdAt: expect.any(Date),
      lastUsedAt: null,
      revokedAt: null,
    });
    await storage.users.setDisabled(owner.id, true);
    await storage.keypairs.revoke(null, pair.id, new Date(5));
    expect(await storage.keypairs.find(pair.accessKey)).toMatchObject({
      keypair: { ...keypair, revokedAt: new Date(5) },
      user: { id: owner.id, name: 'holder', role: 'user', domain: 'default', disabled: true },
      secretKey: pair.secretKey,
    });
    expect(await storage.keypairs.find(drawn(owner.id).accessKey)).toBeUndefined();
    expect(await storage.keypairs.find("AKIA' or true --")).toBeUndefined();
  });

  test('nothing in the database holds the secret', async () => {
    const pair = await makeOwner(storage).then(({ id }) => drawn(id));
    await storage.keypairs.create(pair);
    const { rows } = await sql<{ row: string; sealed: Buffer }>`select k::text as row, sealed_secret as sealed from keypairs k`.execute(
      storage.db,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ row, sealed }) => row.includes(pair.secretKey) || sealed.includes(pair.secretKey))).toEqual([]);
  });

  test('a secret that was moved to another key pair is refused', async () => {
    const { id } = await makeOwner(storage);
    const [mine, hers] = [drawn(id), drawn(id)];
    for (const pair of [mine, hers]) await storage.keypairs.create(pair);
    await sql`update keypairs set sealed_secret = (select sealed_secret from keypairs where id = ${mine.id}) where id = ${hers.id}`.execute(
      storage.db,
    );
    const found = await storage.keypairs.find(hers.accessKey);
    expect(() => found?.secretKey).toThrow(expect.objectContaining({ code: 'not-signed-in' }));
    await storage.db.deleteFrom('keypairs').where('id', '=', hers.id).execute();
  });

  test('revoking goes by id or access key, is repeatable, keeps the first time, and is not for others', async () => {
    const [owner, other] = [await makeOwner(storage), await makeOwner(storage)];
    const { id, accessKey } = await storage.keypairs.create(drawn(owner.id));
    for (const name of [id, accessKey]) expect(await storage.keypairs.revoke(other.id, name, new Date(1))).toBeUndefined();
    expect(await storage.keypairs.revoke(owner.id, accessKey, new Date(2))).toMatchObject({ id, revokedAt: new Date(2) });
    expect(await storage.keypairs.revoke(null, id, new Date(3))).toMatchObject({ revokedAt: new Date(2) });
    expect(await storage.keypairs.revoke(null, 'garbage', new Date(3))).toBeUndefined();
  });

  test('pages go from the newest, of one user or of all', async () => {
    const [ann, eve] = [await makeOwner(storage), await makeOwner(storage)];
    const made: string[] = [];
    for (const { id } of [ann, eve, ann, ann]) made.push((await storage.keypairs.create(drawn(id))).id);
    const [a1, e1, a2, a3] = made;
    const first = await storage.keypairs.list(ann.id, { limit: 2, cursor: null });
    expect(first.items.map(({ id }) => id)).toEqual([a3, a2]);
    const rest = await storage.keypairs.list(ann.id, { limit: 2, cursor: first.next });
    expect({ ids: rest.items.map(({ id }) => id), next: rest.next }).toEqual({ ids: [a1], next: null });
    expect((await storage.keypairs.list(null, { limit: 4, cursor: null })).items.map(({ id }) => id)).toEqual([a3, a2, e1, a1]);
    await expect(storage.keypairs.list(null, { limit: 4, cursor: 'garbage' })).rejects.toMatchObject({ code: 'invalid-field' });
  });

  test('a use is written down once a minute, and a late one does not set the time back', async () => {
    const { id } = await storage.keypairs.create(drawn((await makeOwner(storage)).id));
    const lastUse = async () => (await storage.keypairs.list(null, { limit: 1, cursor: null })).items[0]?.lastUsedAt;
    for (const [at, expected] of [
      [60_000, 60_000],
      [119_999, 60_000],
      [120_000, 120_000],
      [1, 120_000],
    ] as const) {
      await storage.keypairs.used(id, new Date(at));
      expect(await lastUse()).toEqual(new Date(expected));
    }
    await new PostgresKeypairStore(storage.db, storage.secretKey).used(id, new Date(7));
    expect(await lastUse()).toEqual(new Date(120_000));
    await storage.keypairs.used('garbage', new Date(7));
  });
});

test('with another secret.key the start says how many key pairs are lost, each is refused in words, and new ones work; with the old one all do', async () => {
  const pair = drawn((await makeOwner(storage)).id);
  await storage.keypairs.create(pair);
  const dataFolder = await mkdtemp(join(tmpdir(), 'berth-test-other-key-'));
  const lines: string[] = [];
  const open = () => openStorage({ databaseUrl: storage.url, dataFolder, report: (line) => lines.push(line), log: () => undefined });
  const other = await open();
  try {
    expect(lines.filter((line) => line.includes('cannot be used'))).toEqual([
      expect.stringMatching(/^Of the key pairs \d+ cannot be used: .*secret\.key/),
    ]);
    const lost = await other.keypairs.find(pair.accessKey);
    expect(lost).toMatchObject({ keypair: { id: pair.id }, user: { id: pair.userId } });
    const message: unknown = expect.stringMatching(
      new RegExp(`"${pair.accessKey}" cannot be used: .*another secret\\.key.*berth keypair create`),
    );
    expect(() => lost?.secretKey).toThrow(expect.objectContaining({ code: 'not-signed-in', message }));
    const fresh = drawn(pair.userId);
    await other.keypairs.create(fresh);
    expect(await other.keypairs.find(fresh.accessKey)).toMatchObject({ secretKey: fresh.secretKey });
    await other.keypairs.revoke(null, fresh.id, new Date());
  } finally {
    await other.close();
  }
  lines.length = 0;
  await copyFile(join(storage.dataFolder, 'secret.key'), join(dataFolder, 'secret.key'));
  const again = await open();
  expect(await again.keypairs.find(pair.accessKey)).toMatchObject({ secretKey: pair.secretKey });
  expect(lines).toEqual([]);
  await again.close();
  await rm(dataFolder, { recursive: true });
});
