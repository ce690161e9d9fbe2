import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { openDatabase } from '../src/storage/database.ts';
import { migrate } from '../src/storage/migrate.ts';
import { openStorage, type Storage } from '../src/storage/storage.ts';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A migrated database of its own (about 50 ms), with an instance id of its own. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const admin = given('BERTH_TEST_DATABASE');
  const template = given('BERTH_TEST_TEMPLATE');
  const name = `${template}_${randomUUID().slice(0, 8)}`;
  await execute(admin, `create database ${name} template ${template}`);
  const url = withDatabase(admin, name);
  await execute(url, 'update installation set id = gen_random_uuid()');
  return { url, drop: async () => void (await execute(admin, `drop database if exists ${name} with (force)`)) };
}

export interface TestStorage extends Storage {
  readonly url: string;
  readonly dataFolder: string;
}

/** The whole storage on a database and data folder of its own; close() removes both. */
export async function openTestStorage(): Promise<TestStorage> {
  const database = await createTestDatabase();
  const dataFolder = await mkdtemp(join(tmpdir(), 'berth-test-data-'));
  const storage = await openStorage({ databaseUrl: database.url, dataFolder, report: () => undefined, log: () => undefined });
  return {
    ...storage,
    url: database.url,
    dataFolder,
    async close() {
      await storage.close();
      await database.drop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

export async function makeTemplate(admin: string): Promise<void> {
  const template = given('BERTH_TEST_TEMPLATE');
  await execute(admin, `create database ${template}`);
  const db = openDatabase({ connectionString: withDatabase(admin, template) }, () => undefined);
  await migrate(db);
  await db.destroy();
}

export async function dropTestDatabases(admin: string): Promise<void> {
  const template = given('BERTH_TEST_TEMPLATE');
  const names = await execute(
    admin,
    `select datname from pg_database where datname = '${template}' or starts_with(datname, '${template}_')`,
  );
  for (const { datname } of names) await execute(admin, `drop database if exists ${datname} with (force)`);
}

async function execute(url: string, text: string): Promise<{ datname?: string }[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<{ datname?: string }>(text)).rows;
  } finally {
    await client.end();
  }
}

const withDatabase = (url: string, name: string): string => url.replace(/^([^:]+:\/\/[^/?]*)\/[^?]*/, `$1/${name}`);

function given(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: server/test/postgres-setup.ts has to run first (it is a globalSetup of vitest)`);
  return value;
}
