import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseUnavailable } from '../../src/domain/database-unavailable.ts';
import { processIdentity } from '../../src/storage/process-identity.ts';
import { findSurvivor, stopServer } from '../../src/storage/postgres-server.ts';
import { openStorage, type Storage } from '../../src/storage/storage.ts';
import { makeOwner, makeSession, until } from './make.ts';

const root = process.getuid?.() === 0;
let base: string;
let dataFolder: string;
let lines: string[];
let opened: Storage[];
let hosts: ChildProcess[];

/** A data folder that was used before: making a new one takes a second. */
let used: string;
beforeAll(async () => {
  used = await mkdtemp(join(tmpdir(), 'berth-test-used-'));
  await (await openStorage({ dataFolder: used, report: () => undefined, log: () => undefined })).close();
});
afterAll(() => rm(used, { recursive: true, force: true }));
const seed = (): void => void spawnSync('cp', ['-a', used, dataFolder]);

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'berth-test-embedded-'));
  await chmod(base, 0o755);
  dataFolder = join(base, 'data');
  lines = [];
  opened = [];
  hosts = [];
});
afterEach(async () => {
  await Promise.all(opened.map((storage) => storage.close()));
  for (const host of hosts) host.kill('SIGKILL');
  const left = findSurvivor(cluster());
  if (left !== undefined) await stopServer(left);
  if (left !== undefined) await rm(left.socketFolder, { recursive: true, force: true });
  await rm(base, { recursive: true, force: true });
});

async function open(folder = dataFolder): Promise<Storage> {
  const storage = await openStorage({ dataFolder: folder, report: (line) => lines.push(line), log: () => undefined });
  opened.push(storage);
  return storage;
}
async function close(storage: Storage): Promise<void> {
  opened = opened.filter((other) => other !== storage);
  await storage.close();
}
async function startHost(stderr: 'inherit' | 'ignore' = 'inherit'): Promise<{ host: ChildProcess; instance: string }> {
  const host = spawn(process.execPath, [fileURLToPath(new URL('storage-host.ts', import.meta.url)), dataFolder], {
    stdio: ['ignore', 'pipe', stderr],
  });
  hosts.push(host);
  for await (const line of createInterface({ input: host.stdout })) {
    if (line.startsWith('ready ')) return { host, instance: line.slice('ready '.length) };
  }
  throw new Error('the host ended before it was ready');
}
const cluster = (...path: string[]): string => join(dataFolder, 'postgres', 'data', ...path);
async function postmasterPid(): Promise<number | undefined> {
  const text = await readFile(cluster('postmaster.pid'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text.split('\n')[0]);
}
const socketFolder = (storage: Storage): Promise<string> =>
  sql<{ folder: string }>`select current_setting('unix_socket_directories') as folder`
    .execute(storage.db)
    .then(({ rows }) => rows[0]?.folder ?? '');

test('it listens on a socket only, as a user who is not root, and closing leaves no process and no socket behind', async () => {
  const storage = await open();
  const pid = (await postmasterPid()) ?? 0;
  const { rows } = await sql`select current_setting('listen_addresses') as tcp, current_setting('fsync') as fsync`.execute(storage.db);
  expect(rows).toEqual([{ tcp: '', fsync: 'on' }]);
  expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
  const folder = await socketFolder(storage);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  await close(storage);
  expect(processIdentity(pid)).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
  expect(await readdir(join(dataFolder, 'locks'))).toEqual([]);
});

test('what was written is there after a restart, and so is the instance id', async () => {
  seed();
  const first = await open();
  const session = await makeSession(first, await makeOwner(first));
  await close(first);
  const second = await open();
  expect(second.instance).toBe(first.instance);
  expect(await second.sessions.get(session.id)).toEqual(session);
});

test('a Berth that was killed leaves its server running: the next one takes it over', async () => {
  seed();
  const { host, instance } = await startHost();
  const pid = await postmasterPid();
  host.kill('SIGKILL');
  await once(host, 'exit');
  const storage = await open();
  expect(await postmasterPid()).toBe(pid);
  expect(storage.instance).toBe(instance);
  expect(lines.join('\n')).toContain(`process ${pid}`);
  await close(storage);
  expect(processIdentity(pid ?? 0)).toBeUndefined();
});

test('a second Berth on the folder is refused, naming the first; the first goes on', async () => {
  seed();
  const { host } = await startHost();
  await expect(open()).rejects.toMatchObject({ code: 'folder-busy', message: expect.stringContaining(`process ${host.pid}`) });
  expect(processIdentity((await postmasterPid()) ?? 0)).toBeDefined();
  host.kill('SIGTERM');
  await once(host, 'exit');
  await expect(open()).resolves.toBeDefined();
});

test('of five that start at once at most one gets the folder, and the others name a process', async () => {
  seed();
  const spawned = Array.from({ length: 5 }, () => startHost('ignore'));
  const outcomes = await Promise.allSettled(spawned);
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(4);
});

test('a server that is killed is started again; callers get DatabaseUnavailable meanwhile, and the listener wakes', async () => {
  seed();
  const storage = await open();
  const session = await makeSession(storage, await makeOwner(storage));
  const pid = (await postmasterPid()) ?? 0;
  let wakes = 0;
  storage.notifications.onWake(() => (wakes += 1));
  const asking = Array.from({ length: 5 }, () => sql`select pg_sleep(20)`.execute(storage.db).catch((error: unknown) => error));
  await until(async () => {
    const { rows } = await sql<{ n: string }>`select count(*) as n from pg_stat_activity where query like 'select pg_sleep%'`.execute(
      storage.db,
    );
    return rows[0]?.n === '5';
  }, 'the queries run');
  process.kill(pid, 'SIGKILL');
  for (const error of await Promise.all(asking)) expect(error).toBeInstanceOf(DatabaseUnavailable);
  // A process of the killed server may answer one more question before it notices.
  await until(async () => ![undefined, pid].includes(await postmasterPid()), 'a new server runs');
  const again = await until(
    () =>
      storage.sessions.get(session.id).catch((error: unknown) => {
        expect(error).toBeInstanceOf(DatabaseUnavailable);
        return undefined;
      }),
    'the server is back',
  );
  expect(again).toEqual(session);
  await until(() => wakes > 0, 'the listener is back');
});

test('a server that was killed together with its Berth recovers at the next start', async () => {
  seed();
  const { host, instance } = await startHost();
  host.kill('SIGKILL');
  process.kill((await postmasterPid()) ?? 0, 'SIGKILL');
  expect((await open()).instance).toBe(instance);
});

test('a pid file that names another program is not mistaken for the server', async () => {
  seed();
  await close(await open());
  await writeFile(cluster('postmaster.pid'), `${process.ppid}\n${cluster()}\n0\n5432\n/nowhere\n\n0 0\nready\n`);
  await expect(open()).resolves.toBeDefined();
});

test('a lock file of a process that is gone, or whose number another has now, is no lock', async () => {
  seed();
  await mkdir(join(dataFolder, 'locks'), { recursive: true });
  await writeFile(join(dataFolder, 'locks', `${process.ppid}.1-00000000`), '');
  await writeFile(join(dataFolder, 'locks', '999999999.1-00000000'), '');
  await expect(open()).resolves.toBeDefined();
});

test('missing and damaged library links, and copies and clusters that were cut short, are made good', async () => {
  seed();
  await close(await open());
  const [version = ''] = await readdir(join(dataFolder, 'postgres-binaries'));
  const lib = join(dataFolder, 'postgres-binaries', version, 'lib');
  const links: { source: string; target: string }[] = JSON.parse(await readFile(join(lib, '..', 'pg-symlinks.json'), 'utf8'));
  for (const [n, link] of links.entries()) {
    const path = join(lib, basename(link.target));
    await rm(path);
    if (n % 3 === 0) await symlink('nowhere', path);
    if (n % 3 === 1) await writeFile(path, '');
  }
  await mkdir(join(dataFolder, 'postgres-binaries', '17.0.0.unfinished'));
  await rename(cluster(), cluster() + '.unfinished');
  await close(await open());
  expect(await readdir(join(dataFolder, 'postgres-binaries'))).toEqual([version]);
  expect(existsSync(cluster() + '.unfinished')).toBe(false);
});

test('a folder with a name far longer than a socket may have works', async () => {
  dataFolder = join(base, 'x'.repeat(100), 'y'.repeat(100));
  await expect(open()).resolves.toBeDefined();
});

test('a strict umask does not lock the server out of its own program', async () => {
  const before = process.umask(0o077);
  try {
    await expect(open()).resolves.toBeDefined();
  } finally {
    process.umask(before);
  }
});

describe('refuses to start, with the remedy, and changes nothing', () => {
  const refused = async (code: string, ...words: string[]): Promise<void> => {
    const error: unknown = await open().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StorageRefusal', code });
    for (const word of words) expect(String(error)).toContain(word);
  };

  test('a cluster of another major version', async () => {
    seed();
    await close(await open());
    await writeFile(cluster('PG_VERSION'), '17\n');
    await refused('wrong-version', 'PostgreSQL 17', 'berth backup');
    await writeFile(cluster('PG_VERSION'), '18\n');
    await expect(open()).resolves.toBeDefined();
  });

  test.runIf(root)('a cluster of another owner, or open to others', async () => {
    seed();
    await close(await open());
    const { uid, gid } = await stat(cluster());
    await chown(cluster(), 12_345, 12_345);
    await refused('wrong-owner', '12345', 'chown -R');
    await chown(cluster(), uid, gid);
    await chmod(cluster(), 0o755);
    await refused('wrong-permissions', '755', 'chmod 700');
  });

  test.runIf(root)('a folder of somebody else', async () => {
    await mkdir(dataFolder);
    await chown(dataFolder, 12_345, 12_345);
    await refused('wrong-owner', 'user 12345', 'BERTH_DATA');
  });

  test.runIf(root)('a folder that the system user cannot reach', async () => {
    await chmod(base, 0o700);
    await refused('unreachable-folder', base, 'BERTH_DATA', 'chmod o+x');
    expect(existsSync(join(dataFolder, 'postgres', 'data'))).toBe(false);
  });

  test('tables of a newer Berth', async () => {
    seed();
    const storage = await open();
    await sql`insert into kysely_migration (name, timestamp) values ('9999-future', '')`.execute(storage.db);
    await close(storage);
    await refused('newer-schema', '9999-future');
    expect(processIdentity((await postmasterPid()) ?? 0)).toBeUndefined();
  });

  test('a damaged secret key', async () => {
    seed();
    const storage = await open();
    expect((await stat(join(dataFolder, 'secret.key'))).mode & 0o777).toBe(0o600);
    await close(storage);
    await truncate(join(dataFolder, 'secret.key'), 5);
    await refused('damaged-key', '5 bytes', 'backup');
  });

  test.runIf(root)('a disk that is too full, once the reserve is used up', async () => {
    await mkdir(dataFolder);
    const mounted = (size: string): void => void spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dataFolder]);
    mounted('100m');
    try {
      await refused('no-space', '100 MiB free', '256 MiB', 'BERTH_DATA');
      spawnSync('mount', ['-o', 'remount,size=512m', dataFolder]);
      await close(await open());
      const fill = async (leave: number): Promise<void> => {
        const free = Number(spawnSync('df', ['-B1', '--output=avail', dataFolder], { encoding: 'utf8' }).stdout.split('\n')[1]);
        await writeFile(join(dataFolder, `fill-${leave}`), Buffer.alloc(free - leave));
      };
      await fill(36 * 1024 ** 2);
      await close(await open());
      expect(lines.join('\n')).toContain('gave up its reserve');
      await fill(20 * 1024 ** 2);
      await refused('no-space');
      await rm(join(dataFolder, `fill-${36 * 1024 ** 2}`));
      await close(await open());
      expect(existsSync(join(dataFolder, 'postgres', 'reserve'))).toBe(true);
    } finally {
      spawnSync('umount', [dataFolder]);
    }
  });
});
