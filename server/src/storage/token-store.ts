import { sql } from 'kysely';
import type { Page, PageRequest, Token, TokenStore, User } from '../domain/users/user-store.ts';
import { killPoint } from '../kill-points.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import type { Database } from './database.ts';
import { REMEMBERED_MS, Remembered } from './remembered.ts';
import { isUuid } from './uuid.ts';

const TOKEN = sql.raw(`t.id, t.name, t.user_id as "userId", u.name as "userName", t.prefix, t.created_at as "createdAt",
  t.expires_at as "expiresAt", t.last_used_at as "lastUsedAt", t.revoked_at as "revokedAt"`);

export class PostgresTokenStore implements TokenStore {
  readonly #db: Database;
  readonly #found = new Remembered<FoundToken>(REMEMBERED_MS);

  constructor(db: Database) {
    this.#db = db;
  }

  create(token: Parameters<TokenStore['create']>[0]): Promise<Token> {
    return killPoint('store.token', async () => {
      const { rows } = await sql<Token>`
        with t as (
          insert into tokens (id, user_id, name, prefix, hash, expires_at)
          values (${token.id}, ${token.userId}, ${token.name}, ${token.prefix}, ${token.hash}, ${token.expiresAt}) returning *
        )
        select ${TOKEN} from t join users u on u.id = t.user_id`.execute(this.#db);
      const [made] = rows;
      if (made === undefined) throw new Error(`token ${token.id} was not inserted`);
      return made;
    });
  }

  async list(userId: string, page: PageRequest): Promise<Page<Token>> {
    const after = decodeCursor(page.cursor);
    const { rows } = await sql<Token>`
      select ${TOKEN} from tokens t join users u on u.id = t.user_id
      where t.user_id = ${userId} ${after === null ? sql`` : sql`and t.id < ${after}`}
      order by t.id desc limit ${page.limit + 1}`.execute(this.#db);
    return pageOf(rows, page.limit, ({ id }) => id);
  }

  async revoke(ownerId: string | null, id: string, now: Date): Promise<Token | undefined> {
    if (!isUuid(id)) return undefined;
    const owned = ownerId === null ? sql`` : sql`and user_id = ${ownerId}`;
    const revoked = killPoint('store.token', async () => {
      const { rows } = await sql<Token>`
        with t as (update tokens set revoked_at = coalesce(revoked_at, ${now}) where id = ${id} ${owned} returning *)
        select ${TOKEN} from t join users u on u.id = t.user_id`.execute(this.#db);
      return rows[0];
    });
    return revoked.finally(() => this.forget());
  }

  lookUp(hash: string): Promise<FoundToken | undefined> {
    return this.#found.get(hash, () => this.#lookUp(hash));
  }

  /** Somebody's rights have changed. */
  forget(): void {
    this.#found.forget();
  }

  async #lookUp(hash: string): Promise<FoundToken | undefined> {
    const { rows } = await sql<TokenRow>`
      select ${TOKEN}, u.role, u.domain, u.disabled, u.created_at as "userCreatedAt"
      from tokens t join users u on u.id = t.user_id where t.hash = ${hash}`.execute(this.#db);
    return rows[0] && split(rows[0]);
  }

  async used(uses: ReadonlyMap<string, Date>): Promise<void> {
    const known = [...uses].filter(([id]) => isUuid(id)).toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (known.length === 0) return;
    const ids = known.map(([id]) => id);
    const times = known.map(([, at]) => at);
    await killPoint('store.token', () =>
      sql`
        with uses as (select * from unnest(${ids}::uuid[], ${times}::timestamptz[]) as t (id, at)),
        locked as (select t.id, uses.at from tokens t join uses using (id) order by t.id for update of t)
        update tokens t set last_used_at = greatest(t.last_used_at, locked.at) from locked where t.id = locked.id`.execute(this.#db),
    );
  }
}

interface FoundToken {
  readonly token: Token;
  readonly user: User;
}

type TokenRow = Token & { role: User['role']; domain: string; disabled: boolean; userCreatedAt: Date };

function split({ role, domain, disabled, userCreatedAt, ...token }: TokenRow): { token: Token; user: User } {
  return { token, user: { id: token.userId, name: token.userName, role, domain, disabled, createdAt: userCreatedAt } };
}
