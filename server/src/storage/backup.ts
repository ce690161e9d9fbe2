import { Client } from 'pg';
import { homeOf } from '../domain/sessions/container-plan.ts';
import { volumeOf } from '../domain/storages/session-mounts.ts';
import { writeBackup, type BackupHead, type RowLine, type TableLine } from './backup-file.ts';
import { withConnection, type Place } from './offline.ts';
import { openSecretKey } from './secret-key.ts';
import { StorageRefusal } from './refusal.ts';
import { TABLE_NAMES } from './tables.ts';

const ROWS_AT_ONCE = 500;

/** Writes one file, 0600, with the database, the secret key and the names of the storages. A Berth that runs meanwhile goes on. */
export async function backup(place: Place, file: string): Promise<BackupHead> {
  return withConnection(place, async (connection) => {
    const client = new Client({ application_name: 'berth backup', ...connection });
    await client.connect();
    try {
      // One picture of everything, however long it takes.
      await client.query(
        `begin isolation level repeatable read, read only; set local timezone = 'UTC'; set local datestyle = 'ISO'; set local bytea_output = 'hex'`,
      );
      const head = await headOf(client, place);
      await writeBackup(file, contentOf(client, head));
      return head;
    } finally {
      await client.end();
    }
  });
}

async function headOf(client: Client, place: Place): Promise<BackupHead> {
  const migrated = await client
    .query<{ name: string }>(`select name from kysely_migration order by name desc limit 1`)
    .catch((cause: unknown) => {
      throw new StorageRefusal(
        'database-unreachable',
        'There are no tables of Berth in this database: nothing to back up. Check the data folder and DATABASE_URL.',
        { cause },
      );
    });
  const installation = await client.query<{ id: string }>('select id from installation');
  return {
    berthBackup: 1,
    schema: migrated.rows[0]?.name ?? '',
    instance: installation.rows[0]?.id ?? '',
    at: new Date().toISOString(),
    secretKey: (await openSecretKey(place.dataFolder, place.report)).toString('base64'),
    storages: [...(await homesIn(client)), ...(await storagesIn(client))],
  };
}

async function homesIn(client: Client): Promise<BackupHead['storages']> {
  const { rows } = await client.query<{ id: string; name: string }>('select id, name from users order by name');
  return rows.map(({ id, name }) => ({ name: homeOf({ ownerId: id }).name, owner: name }));
}

async function storagesIn(client: Client): Promise<BackupHead['storages']> {
  // An older schema has none yet.
  if ((await columnsOf(client, 'storages')).length === 0) return [];
  const { rows } = await client.query<{ id: string; name: string; owner: string }>(
    'select f.id, f.name, u.name as owner from storages f join users u on u.id = f.owner_id where f.deleted_at is null order by u.name, f.name',
  );
  return rows.map(({ id, name, owner }) => ({ name: volumeOf(id).name, owner, called: name }));
}

async function* contentOf(client: Client, head: BackupHead): AsyncGenerator<BackupHead | TableLine | RowLine> {
  yield head;
  for (const table of TABLE_NAMES) {
    const columns = await columnsOf(client, table);
    // An older schema may not have this table yet.
    if (columns.length === 0) continue;
    yield { table, columns: columns.map(({ name }) => name) };
    yield* rowsOf(client, table, columns);
  }
}

interface Column {
  readonly name: string;
  readonly type: string;
}

async function columnsOf(client: Client, table: string): Promise<readonly Column[]> {
  const { rows } = await client.query<Column>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );
  return rows;
}

async function* rowsOf(client: Client, table: string, columns: readonly Column[]): AsyncGenerator<RowLine> {
  const values = columns.map(({ name }) => `${client.escapeIdentifier(name)}::text`).join(', ');
  // Kept logs may be large, one by one.
  const step = columns.some(({ type }) => type === 'bytea') ? 1 : ROWS_AT_ONCE;
  await client.query(`declare rows no scroll cursor for select ${values} from ${client.escapeIdentifier(table)}`);
  for (;;) {
    const { rows } = await client.query<(string | null)[]>({ text: `fetch ${step} from rows`, rowMode: 'array' });
    if (rows.length === 0) break;
    yield* rows;
  }
  await client.query('close rows');
}
