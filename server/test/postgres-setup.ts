import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { EmbeddedPostgres } from '../src/storage/embedded-postgres.ts';
import { folderHolder } from '../src/storage/folder-lock.ts';
import { findSurvivor, stopServer } from '../src/storage/postgres-server.ts';
import { dropTestDatabases, makeTemplate } from './test-database.ts';

const PREFIX = 'berth-test-postgres-';

/** One server for a whole run of tests: DATABASE_URL's, or an embedded one that is gone afterwards. */
export default async function setup(): Promise<() => Promise<void>> {
  const given = process.env['DATABASE_URL'];
  const own = given === undefined ? await startOwn() : undefined;
  const url = given ?? own?.url ?? '';
  process.env['BERTH_TEST_DATABASE'] = url;
  process.env['BERTH_TEST_TEMPLATE'] = `berth_test_${process.pid}`;
  await makeTemplate(url);
  return async () => {
    await dropTestDatabases(url);
    await own?.stop();
  };
}

async function startOwn(): Promise<{ url: string; stop(): Promise<void> }> {
  await removeLeftovers();
  const dataFolder = await mkdtemp(join(tmpdir(), PREFIX));
  const server = await EmbeddedPostgres.start({ dataFolder, report: () => undefined, log: () => undefined, maxConnections: 200 });
  return {
    url: urlOf(server.connection),
    async stop() {
      await server.stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** What a run that was killed left behind. */
async function removeLeftovers(): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    if ((await folderHolder(folder)) !== undefined || (await isNew(folder))) continue;
    const survivor = findSurvivor(join(folder, 'postgres', 'data'));
    if (survivor !== undefined) await stopServer(survivor);
    await rm(folder, { recursive: true, force: true });
    if (survivor !== undefined) await rm(survivor.socketFolder, { recursive: true, force: true });
  }
}

/** Another run that begins this moment has made its folder, and not yet locked it. */
async function isNew(folder: string): Promise<boolean> {
  const made = await stat(folder).catch(() => undefined);
  return made === undefined || Date.now() - made.birthtimeMs < 60_000;
}

const urlOf = ({ host = '', user = '' }: ClientConfig): string => `postgresql://${user}@/postgres?host=${encodeURIComponent(host)}`;
