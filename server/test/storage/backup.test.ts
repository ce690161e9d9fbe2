import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backup } from '../../src/storage/backup.ts';
import { writeBackup } from '../../src/storage/backup-file.ts';
import type { Database } from '../../src/storage/database.ts';
import type { Place } from '../../src/storage/offline.ts';
import { restore } from '../../src/storage/restore.ts';
import { openStorage, type Storage } from '../../src/storage/storage.ts';
import { TABLE_NAMES } from '../../src/storage/tables.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { after, GRANT, makeOwner, makeSession, newId } from './make.ts';

const ACCESS_KEY = `AKIA${'A'.repeat(16)}`;
let folder: string;
let file: string;
let databases: TestDatabase[];
let opened: Storage[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-test-backup-'));
  file = join(folder, 'backup');
  databases = [];
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((storage) => storage.close()));
  await Promise.all(databases.map((database) => database.drop()));
  await rm(folder, { recursive: true, force: true });
});

async function newPlace(name: string): Promise<Place> {
  const database = await createTestDatabase();
  databases.push(database);
  return { databaseUrl: database.url, dataFolder: join(folder, name), report: () => undefined, log: () => undefined };
}
async function use<T>(place: Place, work: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openStorage(place);
  opened.push(storage);
  const result = await work(storage);
  opened = opened.filter((other) => other !== storage);
  await storage.close();
  return result;
}
async function everything(db: Database): Promise<unknown> {
  const tables: Record<string, unknown> = {};
  for (const table of TABLE_NAMES)
    tables[table] = (await sql`select t::text as row from ${sql.table(table)} t order by 1`.execute(db)).rows;
  return tables;
}
async function fill(storage: Storage): Promise<void> {
  const owner = await makeOwner(storage, 'ann');
  for (let n = 0; n < 30; n += 1) {
    const session = await makeSession(storage, owner, {
      clientToken: n % 2 === 0 ? null : `t${n}`,
      callbackUrl: n === 3 ? 'https://hooks.example.org/?token=x' : null,
    });
    await storage.sessions.save(
      after(session, {
        state: 'running',
        grant: GRANT,
        reason: `"quoted", {braced}, \\back\\slash, \u2028 new\nline, NULL, é ${n}`,
        lastLog: ['\0', '\ud800', ''],
      }),
      { kind: 'state', message: '' },
      5,
    );
    if (n % 5 === 0)
      await storage.sessions.keepLog(
        { sessionId: session.id, generation: 1, container: 'main1' },
        Buffer.alloc(100_000 * n, `log ${n}\0\xff`, 'latin1'),
      );
  }
  await storage.tokens.create({ id: newId(), name: 't', userId: owner.id, prefix: 'p', hash: 'a'.repeat(64), expiresAt: new Date(1) });
  await storage.keypairs.create({ id: newId(), userId: owner.id, name: '', accessKey: ACCESS_KEY, secretKey: 'secret' });
  await storage.storages.create({ id: newId(), name: 'data', ownerId: owner.id, projectId: owner.projectId, clientToken: null });
  await storage.quarantine.see([{ sessionId: 'x', generation: 1, container: 'main1' }], new Date(7));
}

test('a restored installation is the one that was backed up, byte for byte, key and instance id included', async () => {
  const [from, to] = [await newPlace('from'), await newPlace('to')];
  const before = await use(from, async (storage) => {
    await fill(storage);
    return { content: await everything(storage.db), key: storage.secretKey, instance: storage.instance };
  });
  const head = await backup(from, file);
  expect(head).toMatchObject({
    instance: before.instance,
    storages: [
      { name: expect.stringMatching(/^home-/), owner: 'ann' },
      { name: expect.stringMatching(/^storage-/), owner: 'ann', called: 'data' },
    ],
  });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('unfinished'));
  expect(await restore(to, file, { replace: false })).toEqual(head);
  await use(to, async (storage) => {
    expect({ content: await everything(storage.db), key: storage.secretKey, instance: storage.instance }).toEqual(before);
    expect(await storage.keypairs.find(ACCESS_KEY)).toMatchObject({ secretKey: 'secret' });
    const owner = await storage.users.find('ann');
    const events = await storage.sessions.events({ ownerId: null, sessionId: null, after: null, limit: 1000 });
    expect(events).toHaveLength(60);
    const project = await storage.users.project(owner?.id ?? '', null);
    await makeSession(storage, { id: owner?.id ?? '', projectId: project?.id ?? '' });
    expect(await storage.sessions.events({ ownerId: null, sessionId: null, after: events.at(-1)?.id ?? '', limit: 10 })).toMatchObject([
      { kind: 'created' },
    ]);
  });
});

test('a backup is one picture, though Berth goes on writing', async () => {
  const from = await newPlace('from');
  await use(from, async (storage) => {
    const owner = await makeOwner(storage);
    const state = { writing: true };
    const writer = (async () => {
      while (state.writing) await makeSession(storage, owner);
    })();
    await backup(from, file).finally(() => (state.writing = false));
    await writer;
  });
  const to = await newPlace('to');
  await restore(to, file, { replace: false });
  await use(to, async ({ db }) => {
    const { rows } =
      await sql`select id from sessions where not exists (select from session_events e where e.session_id = sessions.id)`.execute(db);
    expect(rows).toEqual([]);
  });
});

test.each<[string, (path: string) => Promise<void>]>([
  ['cut short', async (path) => truncate(path, (await stat(path)).size - 20)],
  ['cut to nothing', (path) => truncate(path, 0)],
  [
    'with one byte changed',
    async (path) => {
      const handle = await open(path, 'r+');
      await handle.write(Buffer.from([0x5a]), 0, 1, Math.floor((await stat(path)).size / 2));
      await handle.close();
    },
  ],
  [
    'that lacks lines',
    async (path) => {
      const { gunzipSync } = await import('node:zlib');
      const lines = gunzipSync(await readFile(path))
        .toString()
        .split('\n');
      await writeFile(path, gzipSync(lines.toSpliced(5, 1).join('\n')));
    },
  ],
  ['that is something else', (path) => writeFile(path, 'hello')],
  ['that is not there', (path) => rm(path)],
])('a file %s is refused and changes nothing', async (_, damage) => {
  const place = await newPlace('place');
  await use(place, fill);
  await backup(place, file);
  const before = await use(place, ({ db }) => everything(db));
  await damage(file);
  await expect(restore(place, file, { replace: true })).rejects.toMatchObject({
    code: 'damaged-backup',
    message: expect.stringContaining(file),
  });
  expect(await use(place, ({ db }) => everything(db))).toEqual(before);
});

test('a file that cannot be written is named, with what is wrong', async () => {
  const place = await newPlace('place');
  await use(place, fill);
  await expect(backup(place, join(folder, 'nowhere', 'file'))).rejects.toMatchObject({
    code: 'unwritable-backup',
    message: expect.stringMatching(/nowhere\/file cannot be written: ENOENT/),
  });
});

test('what is there is replaced only when asked, and stays when the restore fails half way', async () => {
  const place = await newPlace('place');
  await use(place, fill);
  await backup(place, file);
  const key = await readFile(join(place.dataFolder, 'secret.key'));
  const before = await use(place, async (storage) => {
    await makeOwner(storage, 'later');
    return everything(storage.db);
  });
  await expect(restore(place, file, { replace: false })).rejects.toMatchObject({
    code: 'not-empty',
    message: expect.stringContaining('2 users and 30 sessions'),
  });
  const bad = join(folder, 'bad');
  await writeBackup(
    bad,
    (async function* () {
      yield {
        berthBackup: 1 as const,
        schema: '0001-sessions',
        instance: '',
        at: '',
        secretKey: Buffer.alloc(32).toString('base64'),
        storages: [],
      };
      yield { table: 'users', columns: ['id', 'name'] };
      yield [newId(), 'no role'];
    })(),
  );
  await expect(restore(place, bad, { replace: true })).rejects.toThrow('role');
  expect(await use(place, ({ db }) => everything(db))).toEqual(before);
  expect(await readFile(join(place.dataFolder, 'secret.key'))).toEqual(key);
  await restore(place, file, { replace: true });
  await use(place, async (storage) => expect(await storage.users.find('later')).toBeUndefined());
});

test('a running Berth and a backup of a newer Berth are refused', async () => {
  const place = await newPlace('place');
  await use(place, async () => {
    await backup(place, file);
    await expect(restore(place, file, { replace: true })).rejects.toMatchObject({ code: 'berth-running' });
  });
  await writeBackup(
    file,
    (async function* () {
      yield { berthBackup: 1 as const, schema: '9999-future', instance: '', at: '', secretKey: '', storages: [] };
    })(),
  );
  await expect(restore(place, file, { replace: true })).rejects.toMatchObject({
    code: 'newer-schema',
    message: expect.stringContaining('9999-future'),
  });
});

test("Berth's own PostgreSQL is backed up while it runs and while it does not, and restored into a new folder", async () => {
  const place: Place = { dataFolder: join(folder, 'own'), report: () => undefined, log: () => undefined };
  const { chmod } = await import('node:fs/promises');
  await chmod(folder, 0o755);
  await use(place, async (storage) => {
    await makeSession(storage, await makeOwner(storage, 'bob'));
    await backup(place, join(folder, 'running'));
    await expect(restore(place, join(folder, 'running'), { replace: true })).rejects.toMatchObject({
      code: 'berth-running',
      message: expect.stringContaining(String(process.pid)),
    });
  });
  await backup(place, file);
  const other: Place = { ...place, dataFolder: join(folder, 'other') };
  const head = await restore(other, file, { replace: false });
  await use(other, async (storage) => {
    expect(storage.instance).toBe(head.instance);
    expect(await storage.users.find('bob')).toBeDefined();
    expect(await storage.sessions.live()).toHaveLength(1);
  });
});

test('every table is in the list that is backed up', async () => {
  const place = await newPlace('place');
  const { rows } = await use(place, ({ db }) =>
    sql<{ name: string }>`select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'kysely%'`.execute(db),
  );
  expect(rows.map(({ name }) => name).toSorted()).toEqual([...TABLE_NAMES].toSorted());
});
