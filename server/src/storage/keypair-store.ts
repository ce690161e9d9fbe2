import { ProblemError } from '@berth/contract';
import { sql } from 'kysely';
import { isAccessKey } from '../domain/users/keypair.ts';
import type { FoundKeypair, Keypair, KeypairStore, NewKeypair } from '../domain/users/keypair-store.ts';
import type { Page, PageRequest, User } from '../domain/users/user-store.ts';
import { killPoint } from '../kill-points.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import type { Database } from './database.ts';
import { REMEMBERED_MS, Remembered } from './remembered.ts';
import { SecretBox } from './secret-box.ts';
import { isUuid } from './uuid.ts';

const KEYPAIR = sql.raw(`k.id, k.access_key as "accessKey", k.user_id as "userId", u.name as "userName", k.name,
  k.created_at as "createdAt", k.last_used_at as "lastUsedAt", k.revoked_at as "revokedAt"`);
const USE_EVERY_MS = 60_000;

export class PostgresKeypairStore implements KeypairStore {
  readonly #db: Database;
  readonly #box: SecretBox;
  /** When a use was last written down, by id: at most as many as there are key pairs. */
  readonly #noted = new Map<string, number>();
  readonly #found = new Remembered<FoundKeypair>(REMEMBERED_MS);

  constructor(db: Database, secretKey: Buffer) {
    this.#db = db;
    this.#box = new SecretBox(secretKey, 'keypair');
  }

  create({ id, userId, name, accessKey, secretKey }: NewKeypair): Promise<Keypair> {
    const sealed = this.#box.seal(secretKey, accessKey);
    return killPoint('store.keypair', async () => {
      const { rows } = await sql<Keypair>`
        with k as (
          insert into keypairs (id, user_id, name, access_key, sealed_secret)
          values (${id}, ${userId}, ${name}, ${accessKey}, ${sealed}) returning *
        )
        select ${KEYPAIR} from k join users u on u.id = k.user_id`.execute(this.#db);
      const [made] = rows;
      if (made === undefined) throw new Error(`key pair ${id} was not inserted`);
      return made;
    });
  }

  async list(userId: string | null, page: PageRequest): Promise<Page<Keypair>> {
    const after = decodeCursor(page.cursor);
    const { rows } = await sql<Keypair>`
      select ${KEYPAIR} from keypairs k join users u on u.id = k.user_id
      where true ${userId === null ? sql`` : sql`and k.user_id = ${userId}`} ${after === null ? sql`` : sql`and k.id < ${after}`}
      order by k.id desc limit ${page.limit + 1}`.execute(this.#db);
    return pageOf(rows, page.limit, ({ id }) => id);
  }

  async find(accessKey: string): Promise<FoundKeypair | undefined> {
    return isAccessKey(accessKey) ? this.#found.get(accessKey, () => this.#find(accessKey)) : undefined;
  }

  /** Somebody's rights have changed. */
  forget(): void {
    this.#found.forget();
  }

  async #find(accessKey: string): Promise<FoundKeypair | undefined> {
    const { rows } = await sql<FoundRow>`
      select ${KEYPAIR}, k.sealed_secret as sealed, u.role, u.domain, u.disabled, u.created_at as "userCreatedAt"
      from keypairs k join users u on u.id = k.user_id where k.access_key = ${accessKey}`.execute(this.#db);
    return rows[0] && this.#opened(rows[0]);
  }

  async revoke(ownerId: string | null, idOrAccessKey: string, now: Date): Promise<Keypair | undefined> {
    if (!isUuid(idOrAccessKey) && !isAccessKey(idOrAccessKey)) return undefined;
    const which = isUuid(idOrAccessKey) ? sql`id = ${idOrAccessKey}` : sql`access_key = ${idOrAccessKey}`;
    const owned = ownerId === null ? sql`` : sql`and user_id = ${ownerId}`;
    const revoked = killPoint('store.keypair', async () => {
      const { rows } = await sql<Keypair>`
        with k as (update keypairs set revoked_at = coalesce(revoked_at, ${now}) where ${which} ${owned} returning *)
        select ${KEYPAIR} from k join users u on u.id = k.user_id`.execute(this.#db);
      return rows[0];
    });
    return revoked.finally(() => this.forget());
  }

  async used(id: string, at: Date): Promise<void> {
    const noted = this.#noted.get(id);
    if (!isUuid(id) || (noted !== undefined && at.getTime() < noted + USE_EVERY_MS)) return;
    this.#noted.set(id, at.getTime());
    await killPoint('store.keypair', () =>
      sql`update keypairs set last_used_at = greatest(last_used_at, ${at}) where id = ${id}`.execute(this.#db),
    );
  }

  /** How many that are not revoked this server's key does not open. */
  async countUnusable(): Promise<number> {
    const { rows } = await sql<{ accessKey: string; sealed: Buffer }>`
      select access_key as "accessKey", sealed_secret as sealed from keypairs where revoked_at is null`.execute(this.#db);
    return rows.filter(({ accessKey, sealed }) => this.#box.open(sealed, accessKey) === undefined).length;
  }

  #opened({ sealed, role, domain, disabled, userCreatedAt, ...keypair }: FoundRow): FoundKeypair {
    const open = (): string => this.#box.open(sealed, keypair.accessKey) ?? refuseLost(keypair);
    let opened: string | undefined;
    return {
      keypair,
      user: { id: keypair.userId, name: keypair.userName, role, domain, disabled, createdAt: userCreatedAt },
      get secretKey() {
        return (opened ??= open());
      },
    };
  }
}

function refuseLost({ accessKey }: Keypair): never {
  throw new ProblemError(
    'not-signed-in',
    `the key pair "${accessKey}" cannot be used: its secret was encrypted with another secret.key than this server has. ` +
      'Make a new one with `berth keypair create`, or ask an administrator to put that secret.key back from a backup',
  );
}

type FoundRow = Keypair & { sealed: Buffer; role: User['role']; domain: string; disabled: boolean; userCreatedAt: Date };
