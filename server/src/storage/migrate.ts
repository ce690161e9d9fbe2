import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { sessionsMigration } from './migrations/0001-sessions.ts';
import { logGenerationsMigration } from './migrations/0002-log-generations.ts';
import { keypairsMigration } from './migrations/0003-keypairs.ts';
import { batchMigration } from './migrations/0004-batch.ts';
import { sessionUsesMigration } from './migrations/0005-session-uses.ts';
import { statisticsMigration } from './migrations/0006-statistics.ts';
import { callbacksMigration } from './migrations/0007-callbacks.ts';
import { storagesMigration } from './migrations/0008-storages.ts';
import { imagePortsMigration } from './migrations/0009-image-ports.ts';
import { clustersMigration } from './migrations/0010-clusters.ts';
import { StorageRefusal } from './refusal.ts';
import type { Tables } from './tables.ts';

/** Forward only. A new one is appended; one that was released is never changed. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-sessions': sessionsMigration,
  '0002-log-generations': logGenerationsMigration,
  '0003-keypairs': keypairsMigration,
  '0004-batch': batchMigration,
  '0005-session-uses': sessionUsesMigration,
  '0006-statistics': statisticsMigration,
  '0007-callbacks': callbacksMigration,
  '0008-storages': storagesMigration,
  '0009-image-ports': imagePortsMigration,
  '0010-clusters': clustersMigration,
};
export const SCHEMA_VERSION = Object.keys(MIGRATIONS).at(-1) ?? '';

/** For a backup that was made at that version. */
export async function migrateTo(db: Kysely<Tables>, version: string): Promise<void> {
  const { error } = await migratorFor(db).migrateTo(version);
  if (error !== undefined) throw error instanceof Error ? error : new Error('the migration failed', { cause: error });
}

export const isKnownVersion = (version: string): boolean => Object.hasOwn(MIGRATIONS, version);

/** Brings the schema up to this code, alone in the database (Kysely's advisory lock), all or nothing. */
export async function migrate(db: Kysely<Tables>): Promise<readonly string[]> {
  await refuseNewer(db);
  const { error, results = [] } = await migratorFor(db).migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error('the migration failed', { cause: error });
  return results.map(({ migrationName }) => migrationName);
}

const migratorFor = (db: Kysely<Tables>): Migrator =>
  new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) } });

async function refuseNewer(db: Kysely<Tables>): Promise<void> {
  const unknown = (await appliedMigrations(db)).filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length === 0) return;
  throw new StorageRefusal(
    'newer-schema',
    `The database was migrated by a newer Berth (it has ${unknown.join(', ')}, this one ends at ${SCHEMA_VERSION}). ` +
      'Run that version or a later one, or restore a backup made before the upgrade.',
  );
}

/** By name, oldest first; none for a database that was never migrated. */
export async function appliedMigrations(db: Kysely<Tables>): Promise<readonly string[]> {
  const { rows: tables } = await sql<{ present: boolean }>`select to_regclass('kysely_migration') is not null as present`.execute(db);
  if (tables[0]?.present !== true) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}
