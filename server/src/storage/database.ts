import {
  Kysely,
  PostgresDialect,
  sql,
  type PostgresCursor,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from 'kysely';
import { Pool, type ClientConfig, type PoolClient } from 'pg';
import { asUnavailable } from './unavailable.ts';
import type { Log } from './log.ts';
import { StorageRefusal } from './refusal.ts';
import type { Tables } from './tables.ts';

export type Database = Kysely<Tables>;
export type Connection = ClientConfig;

const MIN_SERVER_VERSION = 180_000;
/** Statements that repeat are prepared once per connection; one-off texts beyond this many are not. */
const MAX_PREPARED = 200;

/** A pool that heals by itself. Queries throw DatabaseUnavailable while the server cannot be asked. */
export function openDatabase(connection: Connection, log: Log): Database {
  const pool = new Pool({
    application_name: 'berth',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    statement_timeout: 60_000,
    idle_in_transaction_session_timeout: 60_000,
    ...connection,
    max: 10,
    idleTimeoutMillis: 60_000,
  });
  // Without a listener an idle connection that breaks would end the process. The pool has dropped it already.
  pool.on('error', (error) => {
    if (!pool.ending) log('warn', 'an idle database connection broke; a new one is made when needed', { reason: error.message });
  });
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new GuardedPool(pool) }) });
}

/** Refuses a server that is absent or older than what Berth is tested with. */
export async function checkServer(db: Database): Promise<void> {
  const version = await serverVersion(db).catch((error: unknown) => {
    throw new StorageRefusal(
      'database-unreachable',
      `The database cannot be reached: ${error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)}. ` +
        'Check DATABASE_URL, or leave it out and Berth starts its own PostgreSQL.',
      { cause: error },
    );
  });
  if (version.number >= MIN_SERVER_VERSION) return;
  throw new StorageRefusal(
    'server-too-old',
    `The database server is PostgreSQL ${version.text}; Berth needs 18 or newer. Upgrade it, or leave out DATABASE_URL and Berth starts its own.`,
  );
}

async function serverVersion(db: Database): Promise<{ number: number; text: string }> {
  const { rows } = await sql<{
    number: number;
    text: string;
  }>`select current_setting('server_version_num')::int as number, current_setting('server_version') as text`.execute(db);
  return rows[0] ?? { number: 0, text: 'unknown' };
}

class GuardedPool implements PostgresPool {
  readonly #pool: Pool;
  readonly #guarded = new WeakMap<PoolClient, GuardedClient>();
  readonly #names = new Map<string, string>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }
  get options(): object {
    return this.#pool.options;
  }
  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#pool.connect().catch(asUnavailable);
    const known = this.#guarded.get(client);
    if (known !== undefined) return known;
    // A client in use reports its end to whoever waits for its query; it must not end the process as well.
    client.on('error', () => undefined);
    const guarded = new GuardedClient(client, (text) => this.#nameOf(text));
    this.#guarded.set(client, guarded);
    return guarded;
  }
  end(): Promise<void> {
    return this.#pool.end();
  }
  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MAX_PREPARED) return known;
    const name = `berth_${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}

class GuardedClient implements PostgresPoolClient {
  readonly #client: PoolClient;
  readonly #nameOf: (text: string) => string | undefined;

  constructor(client: PoolClient, nameOf: (text: string) => string | undefined) {
    this.#client = client;
    this.#nameOf = nameOf;
  }
  query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(text: string | PostgresCursor<R>, values: readonly unknown[] = []): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof text !== 'string') throw new TypeError('cursors are not used here');
    // Statements without parameters may be several in one text, which cannot be prepared.
    const name = values.length === 0 ? undefined : this.#nameOf(text);
    return this.#client.query({ text, values: [...values], ...(name !== undefined && { name }) }).catch(asUnavailable) as Promise<
      PostgresQueryResult<R>
    >;
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy);
  }
}
