import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Mount } from '../../src/domain/sessions/session.ts';
import type { NewStorage } from '../../src/domain/storages/storage-store.ts';
import type { Storage } from '../../src/domain/storages/storage.ts';
import { openTestStorage, type TestStorage } from '../test-database.ts';
import { after, draft, makeOwner, makeSession, newId, SPEC, type Owner } from './make.ts';

let storage: TestStorage;
beforeAll(async () => void (storage = await openTestStorage()));
afterAll(() => storage.close());

const wanted = (owner: Owner, name: string, clientToken: string | null = null): NewStorage => ({
  id: newId(),
  name,
  ownerId: owner.id,
  projectId: owner.projectId,
  clientToken,
});
const make = async (owner: Owner, name: string): Promise<Storage> => (await storage.storages.create(wanted(owner, name))).storage;
const mounting = ({ id, name }: Storage): { spec: typeof SPEC & { mounts: readonly Mount[] } } => ({
  spec: { ...SPEC, mounts: [{ storageId: id, name, target: `/work/${name}`, readOnly: false }] },
});

test('a storage is found by name and by id, by its owner alone', async () => {
  const [owner, other] = [await makeOwner(storage, 'holder'), await makeOwner(storage)];
  const made = await make(owner, 'data');
  expect(made).toEqual({
    id: made.id,
    name: 'data',
    ownerId: owner.id,
    ownerName: 'holder',
    projectId: owner.projectId,
    projectName: expect.any(String),
    createdAt: expect.any(Date),
    deletedAt: null,
    trouble: '',
    mountedBy: [],
  });
  for (const text of ['data', made.id]) expect(await storage.storages.find(owner.id, text)).toEqual(made);
  for (const text of ['data', made.id, 'other']) expect(await storage.storages.find(other.id, text)).toBeUndefined();
  expect(await storage.storages.find(null, made.id)).toEqual(made);
  expect(await storage.storages.find(null, 'data')).toBeUndefined();
});

test('a name belongs to one of an owner, until its deletion is asked for; another owner may have it too', async () => {
  const [owner, other] = [await makeOwner(storage), await makeOwner(storage)];
  const first = await make(owner, 'data');
  await expect(make(owner, 'data')).rejects.toMatchObject({ code: 'name-taken', field: 'name' });
  await make(other, 'data');
  await storage.storages.askRemoval(first.id, new Date());
  const second = await make(owner, 'data');
  expect(second.id).not.toBe(first.id);
  expect(await storage.storages.find(owner.id, 'data')).toMatchObject({ id: second.id });
  expect(await storage.storages.find(owner.id, first.id)).toMatchObject({ deletedAt: expect.any(Date) });
});

test('a repeated request answers the same storage, also of many at once; the token of another request is refused', async () => {
  const owner = await makeOwner(storage);
  const answers = await Promise.all(Array.from({ length: 8 }, () => storage.storages.create(wanted(owner, 'once', 'token'))));
  expect(new Set(answers.map((answer) => answer.storage.id)).size).toBe(1);
  expect(answers.filter(({ created }) => created)).toHaveLength(1);
  await expect(storage.storages.create(wanted(owner, 'twice', 'token'))).rejects.toMatchObject({ code: 'token-reused' });
  const id = answers[0]?.storage.id ?? '';
  await storage.storages.askRemoval(id, new Date());
  expect(await storage.storages.create(wanted(owner, 'once', 'token'))).toMatchObject({ created: false, storage: { id } });
  await storage.storages.removed(id, new Date());
  await expect(storage.storages.create(wanted(owner, 'once', 'token'))).rejects.toMatchObject({ code: 'token-reused' });
});

test('while a live session mounts it, it is not deleted, and the session is named; afterwards it is', async () => {
  const owner = await makeOwner(storage);
  const data = await make(owner, 'data');
  const session = await makeSession(storage, owner, { name: 'train-7', ...mounting(data) });
  await makeSession(storage, owner);
  expect((await storage.storages.find(owner.id, 'data'))?.mountedBy).toEqual([{ id: session.id, name: 'train-7' }]);
  await expect(storage.storages.askRemoval(data.id, new Date())).rejects.toMatchObject({
    code: 'wrong-state',
    message: expect.stringContaining('"train-7"'),
  });
  expect(await storage.storages.due()).not.toContainEqual(expect.objectContaining({ id: data.id }));
  const ended = after(session, { state: 'cancelled', endedAt: new Date() });
  expect(await storage.sessions.save(ended, null, null)).toBe(true);
  expect(await storage.storages.askRemoval(data.id, new Date(5))).toMatchObject({ deletedAt: new Date(5), mountedBy: [] });
  expect(await storage.storages.askRemoval(data.id, new Date(9))).toMatchObject({ deletedAt: new Date(5) });
});

test('no session is made that mounts what is being deleted', async () => {
  const owner = await makeOwner(storage);
  const data = await make(owner, 'data');
  await storage.storages.askRemoval(data.id, new Date());
  const making = storage.sessions.create(draft(owner, mounting(data)));
  await expect(making).rejects.toMatchObject({ code: 'not-found', field: 'mounts', message: expect.stringContaining('"data"') });
});

test('of a session and a deletion at the same time exactly one succeeds', async () => {
  const owner = await makeOwner(storage);
  for (let round = 0; round < 20; round += 1) {
    const data = await make(owner, `data-${round}`);
    const results = await Promise.allSettled([
      storage.sessions.create(draft(owner, mounting(data))),
      storage.storages.askRemoval(data.id, new Date()),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  }
});

test('what is to be deleted waits until it is gone, with what keeps it, and then is no more', async () => {
  const owner = await makeOwner(storage);
  const data = await make(owner, 'data');
  await storage.storages.askRemoval(data.id, new Date());
  await storage.storages.troubled(data.id, 'in use\0');
  expect(await storage.storages.due()).toContainEqual({ id: data.id, name: 'data', trouble: 'in use\uFFFD' });
  expect(await storage.storages.find(owner.id, 'data')).toMatchObject({ trouble: 'in use\uFFFD' });
  await storage.storages.removed(data.id, new Date());
  expect(await storage.storages.due()).not.toContainEqual(expect.objectContaining({ id: data.id }));
  expect(await storage.storages.find(owner.id, data.id)).toBeUndefined();
  expect((await storage.storages.list(owner.id, { limit: 10, cursor: null })).items).toEqual([]);
  await expect(storage.storages.askRemoval(data.id, new Date())).rejects.toMatchObject({ code: 'not-found' });
});

test('one that nobody asked to delete is never taken for gone', async () => {
  const owner = await makeOwner(storage);
  const data = await make(owner, 'data');
  await storage.storages.removed(data.id, new Date());
  expect(await storage.storages.find(owner.id, 'data')).toEqual(data);
});

test('pages go from the newest, of one user or of all', async () => {
  const [ann, eve] = [await makeOwner(storage), await makeOwner(storage)];
  const [a1, e1, a2] = [await make(ann, 'first'), await make(eve, 'hers'), await make(ann, 'second')];
  const first = await storage.storages.list(ann.id, { limit: 1, cursor: null });
  expect(first.items.map(({ id }) => id)).toEqual([a2.id]);
  const rest = await storage.storages.list(ann.id, { limit: 2, cursor: first.next });
  expect({ ids: rest.items.map(({ id }) => id), next: rest.next }).toEqual({ ids: [a1.id], next: null });
  expect((await storage.storages.list(null, { limit: 3, cursor: null })).items.map(({ id }) => id)).toEqual([a2.id, e1.id, a1.id]);
});

test('sessions of before there were storages mount none', async () => {
  const owner = await makeOwner(storage);
  expect(SPEC).not.toHaveProperty('mounts');
  await makeSession(storage, owner, { spec: SPEC });
  expect((await make(owner, 'data')).mountedBy).toEqual([]);
});
