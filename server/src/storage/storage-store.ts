import { ProblemError } from '@berth/contract';
import { sql, type RawBuilder } from 'kysely';
import { noSuchStorage, refuseMounted, type Storage } from '../domain/storages/storage.ts';
import type { NewStorage, StorageRemovals, StorageStore } from '../domain/storages/storage-store.ts';
import type { Page, PageRequest } from '../domain/users/user-store.ts';
import { killPoint } from '../kill-points.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import type { Database } from './database.ts';
import { storable } from './session-rows.ts';
import { violatedUnique } from './unavailable.ts';
import { isUuid } from './uuid.ts';

/** Only its owner's sessions can mount a storage. */
const MOUNTED_BY = `(
  select coalesce(json_agg(json_build_object('id', s.id, 'name', s.name) order by s.id), '[]') from sessions s
  where s.ended_at is null and s.owner_id = f.owner_id
    and exists (select from json_array_elements(s.spec -> 'mounts') m where m ->> 'storageId' = f.id::text))`;

/** Columns named as Storage's fields, so that a row is a Storage. Goes with a relation `f` and JOIN_NAMES. */
const STORAGE = sql.raw(`f.id, f.name, f.owner_id as "ownerId", u.name as "ownerName", f.project_id as "projectId", p.name as "projectName",
  f.created_at as "createdAt", f.deleted_at as "deletedAt", f.trouble, ${MOUNTED_BY} as "mountedBy"`);
const JOIN_NAMES = sql.raw('join users u on u.id = f.owner_id join projects p on p.id = f.project_id');

export class PostgresStorageStore implements StorageStore, StorageRemovals {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async create(wanted: NewStorage): Promise<{ storage: Storage; created: boolean }> {
    try {
      return { storage: await this.#insert(wanted), created: true };
    } catch (error) {
      const constraint = violatedUnique(error);
      if (constraint === undefined) throw error;
      // Whichever index complained: a repeated create violates both.
      const earlier = wanted.clientToken === null ? undefined : await this.#madeWith(wanted.ownerId, wanted.clientToken);
      if (earlier === undefined && constraint === 'storages_live_name') throw nameTaken(wanted.name);
      if (earlier === undefined) throw error;
      if (earlier.name !== wanted.name || earlier.projectId !== wanted.projectId || earlier.removed) throw tokenReused(earlier);
      const { removed: _, ...storage } = earlier;
      return { storage, created: false };
    }
  }

  #insert({ id, name, ownerId, projectId, clientToken }: NewStorage): Promise<Storage> {
    return killPoint('store.storage', async () => {
      const { rows } = await sql<Storage>`
        with f as (
          insert into storages (id, name, owner_id, project_id, client_token) values (${id}, ${name}, ${ownerId}, ${projectId}, ${clientToken}) returning *
        )
        select ${STORAGE} from f ${JOIN_NAMES}`.execute(this.#db);
      const [made] = rows;
      if (made === undefined) throw new Error(`storage ${id} was not inserted`);
      return made;
    });
  }

  async #madeWith(ownerId: string, clientToken: string): Promise<(Storage & { removed: boolean }) | undefined> {
    const { rows } = await sql<Storage & { removed: boolean }>`
      select ${STORAGE}, f.removed_at is not null as removed from storages f ${JOIN_NAMES}
      where f.owner_id = ${ownerId} and f.client_token = ${clientToken}`.execute(this.#db);
    return rows[0];
  }

  async find(ownerId: string | null, text: string): Promise<Storage | undefined> {
    if (!isUuid(text) && ownerId === null) return undefined;
    const which = isUuid(text) ? sql`f.id = ${text}` : sql`f.name = ${text}`;
    const [found] = await this.#select(this.#db, sql`${which} and ${owned(ownerId)}`, { limit: 1, readyFirst: true });
    return found;
  }

  async list(ownerId: string | null, page: PageRequest): Promise<Page<Storage>> {
    const after = decodeCursor(page.cursor);
    const condition = sql`${owned(ownerId)} ${after === null ? sql`` : sql`and f.id < ${after}`}`;
    return pageOf(await this.#select(this.#db, condition, { limit: page.limit + 1, readyFirst: false }), page.limit, ({ id }) => id);
  }

  async #select(
    db: Database,
    condition: RawBuilder<unknown>,
    { limit, readyFirst }: { limit: number; readyFirst: boolean },
  ): Promise<readonly Storage[]> {
    const order = readyFirst ? sql`(f.deleted_at is null) desc, f.id desc` : sql`f.id desc`;
    const { rows } = await sql<Storage>`
      select ${STORAGE} from storages f ${JOIN_NAMES} where f.removed_at is null and ${condition} order by ${order} limit ${limit}`.execute(
      db,
    );
    return rows;
  }

  /** Sessions that are being made hold the row (hold-storages.ts): once it is locked, all that mount it are to be seen. */
  askRemoval(id: string, now: Date): Promise<Storage> {
    return killPoint('store.storage', () =>
      this.#db.transaction().execute(async (transaction) => {
        await sql`select from storages where id = ${id} for update`.execute(transaction);
        const [storage] = await this.#select(transaction, sql`f.id = ${id}`, { limit: 1, readyFirst: false });
        if (storage === undefined) throw noSuchStorage(id);
        if (storage.deletedAt !== null) return storage;
        refuseMounted(storage);
        await sql`update storages set deleted_at = ${now} where id = ${id}`.execute(transaction);
        return { ...storage, deletedAt: now };
      }),
    );
  }

  async due(): Promise<readonly Pick<Storage, 'id' | 'name' | 'trouble'>[]> {
    return this.#db
      .selectFrom('storages')
      .select(['id', 'name', 'trouble'])
      .where('deleted_at', 'is not', null)
      .where('removed_at', 'is', null)
      .orderBy('deleted_at')
      .execute();
  }

  async removed(id: string, now: Date): Promise<void> {
    await killPoint('store.storage', () =>
      sql`update storages set removed_at = ${now}, trouble = '' where id = ${id} and deleted_at is not null and removed_at is null`.execute(
        this.#db,
      ),
    );
  }

  async troubled(id: string, trouble: string): Promise<void> {
    await killPoint('store.storage', () =>
      sql`update storages set trouble = ${storable(trouble)} where id = ${id} and removed_at is null`.execute(this.#db),
    );
  }
}

const owned = (ownerId: string | null): RawBuilder<unknown> => (ownerId === null ? sql`true` : sql`f.owner_id = ${ownerId}`);

const nameTaken = (name: string): ProblemError =>
  new ProblemError('name-taken', `You have a storage named "${name}": choose another name, or delete that one first.`, { field: 'name' });

const tokenReused = ({ id, name }: Storage): ProblemError =>
  new ProblemError(
    'token-reused',
    `The client token was used for another request, which made the storage "${name}" (${id}): use a new token.`,
    {
      field: 'clientToken',
    },
  );
