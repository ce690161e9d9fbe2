import { copyFile, open, rename, rm } from 'node:fs/promises';
import { sql } from 'kysely';
import { checkBackup, readBackup, type BackupHead, type RowLine, type TableLine } from './backup-file.ts';
import { checkServer, openDatabase, type Connection, type Database } from './database.ts';
import { folderHolder } from './folder-lock.ts';
import { isErrno } from './process-identity.ts';
import { appliedMigrations, isKnownVersion, migrate, migrateTo, SCHEMA_VERSION } from './migrate.ts';
import { RUNNING_LOCK } from './notifications.ts';
import { withConnection, type Place } from './offline.ts';
import { StorageRefusal } from './refusal.ts';
import { secretKeyPath } from './secret-key.ts';
import { adoptForeignEvents } from './session-events.ts';
import { TABLE_NAMES } from './tables.ts';

const ROWS_AT_ONCE = 500;
const BYTES_AT_ONCE = 4 * 1024 ** 2;

/** Puts a backup in the place of what is there, all of it or nothing. Throws StorageRefusal where it must not. */
export async function restore(place: Place, file: string, options: { readonly replace: boolean }): Promise<BackupHead> {
  const head = await checkBackup(file);
  if (!isKnownVersion(head.schema)) {
    throw new StorageRefusal(
      'newer-schema',
      `${file} was made by a newer Berth (${head.schema}; this one ends at ${SCHEMA_VERSION}). Restore it with that version or a later one.`,
    );
  }
  if (place.databaseUrl === undefined) await refuseRunning(place.dataFolder);
  return withConnection(place, async (connection) => {
    await keepKeyAside(place.dataFolder, head);
    try {
      await replaceTables(connection, place, { file, head, replace: options.replace });
      await rename(restoredKey(place.dataFolder), secretKeyPath(place.dataFolder));
    } finally {
      await rm(restoredKey(place.dataFolder), { force: true });
    }
    return head;
  });
}

async function replaceTables(
  connection: Connection,
  { log }: Place,
  source: { file: string; head: BackupHead; replace: boolean },
): Promise<void> {
  const db = openDatabase(
    { ...connection, application_name: 'berth restore', statement_timeout: 0, idle_in_transaction_session_timeout: 0 },
    log,
  );
  try {
    await checkServer(db);
    // What was there goes only with the commit that brings the other.
    await db.transaction().execute(async (transaction) => {
      await refuseInUse(transaction);
      if (!source.replace) await refuseNonEmpty(transaction);
      for (const table of [...TABLE_NAMES, 'kysely_migration', 'kysely_migration_lock'])
        await sql`drop table if exists ${sql.table(table)} cascade`.execute(transaction);
      await migrateTo(transaction, source.head.schema);
      await sql`delete from installation; delete from domains`.execute(transaction);
      await fillTables(transaction, source.file);
      await sql`select setval(pg_get_serial_sequence('session_events', 'id'), (select coalesce(max(id), 0) + 1 from session_events))`.execute(
        transaction,
      );
      await migrate(transaction);
      await adoptForeignEvents(transaction);
    });
  } finally {
    await db.destroy();
  }
}

async function fillTables(db: Database, file: string): Promise<void> {
  let table: TableLine | undefined;
  let rows: RowLine[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (table !== undefined && rows.length > 0) await insertRows(db, table, rows);
    [rows, bytes] = [[], 0];
  };
  for await (const line of readBackup(file)) {
    if (isRow(line)) {
      rows.push(line);
      bytes += line.reduce((sum, value) => sum + (value?.length ?? 0), 0);
      if (rows.length >= ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE) await flush();
    } else {
      await flush();
      table = line;
    }
  }
  await flush();
}

/** Each column goes over as one array of texts, and PostgreSQL reads each value as it once wrote it. */
async function insertRows(db: Database, { table, columns }: TableLine, rows: readonly RowLine[]): Promise<void> {
  const names = sql.join(columns.map((name) => sql.ref(name)));
  const types = await columnTypes(db, table);
  const values = sql.join(columns.map((name) => sql`${sql.ref(`given.${name}`)}::${sql.raw(types.get(name) ?? 'text')}`));
  const arrays = sql.join(columns.map((_, n) => sql`${rows.map((row) => row[n] ?? null)}::text[]`));
  await sql`insert into ${sql.table(table)} (${names}) overriding system value select ${values} from unnest(${arrays}) as given (${names})`.execute(
    db,
  );
}

/** As the tables say that were just made, not the file. */
async function columnTypes(db: Database, table: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ name: string; type: string }>`
    select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = to_regclass(${table}) and attnum > 0 and not attisdropped`.execute(db);
  return new Map(rows.map(({ name, type }) => [name, type]));
}

const isRow = (line: TableLine | RowLine): line is RowLine => Array.isArray(line);

async function refuseRunning(dataFolder: string): Promise<void> {
  const pid = await folderHolder(dataFolder);
  if (pid === undefined) return;
  throw new StorageRefusal(
    'berth-running',
    `Berth runs on ${dataFolder} (process ${pid}). Stop it (kill ${pid}), then restore; sessions go on meanwhile.`,
  );
}

async function refuseInUse(db: Database): Promise<void> {
  const { rows } = await sql<{ free: boolean }>`select pg_try_advisory_xact_lock(${RUNNING_LOCK}::bigint) as free`.execute(db);
  if (rows[0]?.free === true) return;
  throw new StorageRefusal(
    'berth-running',
    'A Berth is connected to this database. Stop every server that uses it, then restore; sessions go on meanwhile.',
  );
}

async function refuseNonEmpty(db: Database): Promise<void> {
  const applied = await appliedMigrations(db);
  if (applied.length === 0) return;
  const { rows } = await sql<{
    users: string;
    sessions: string;
  }>`select (select count(*) from users) as users, (select count(*) from sessions) as sessions`.execute(db);
  const { users = '0', sessions = '0' } = rows[0] ?? {};
  if (users === '0' && sessions === '0') return;
  throw new StorageRefusal(
    'not-empty',
    `The database holds ${users} users and ${sessions} sessions. Add --replace to put the backup in their place; back them up before (berth backup FILE).`,
  );
}

const restoredKey = (dataFolder: string): string => `${secretKeyPath(dataFolder)}.restored`;

/** Puts the backup's key beside the one in use, and keeps a copy of that. The last step of a restore puts it in its place. */
async function keepKeyAside(dataFolder: string, head: BackupHead): Promise<void> {
  const path = secretKeyPath(dataFolder);
  await copyFile(path, `${path}.before-restore`).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT')) throw error;
  });
  const file = await open(restoredKey(dataFolder), 'w', 0o600);
  try {
    await file.writeFile(Buffer.from(head.secretKey, 'base64'));
    await file.sync();
  } finally {
    await file.close();
  }
}
