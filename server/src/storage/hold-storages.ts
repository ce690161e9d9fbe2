import { sql } from 'kysely';
import { noSuchStorage } from '../domain/storages/storage.ts';
import type { Mount } from '../domain/sessions/session.ts';
import type { Database } from './database.ts';

/** Writes a session while none of the storages it mounts can be given up: ProblemError not-found where one already was. */
export async function holdStorages<T>(db: Database, mounts: readonly Mount[], write: (db: Database) => Promise<T>): Promise<T> {
  if (mounts.length === 0) return write(db);
  return db.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ id: string }>`
      select id from storages where id = any(${mounts.map(({ storageId }) => storageId)}::uuid[]) and deleted_at is null
      order by id for share`.execute(transaction);
    const gone = mounts.find(({ storageId }) => !rows.some(({ id }) => id === storageId));
    if (gone !== undefined) throw noSuchStorage(gone.name, 'mounts');
    return write(transaction);
  });
}
