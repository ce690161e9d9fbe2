import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Connection } from './database.ts';
import { preparePostgresFolders, type PostgresFolders } from './data-folder.ts';
import { DiskReserve } from './disk-reserve.ts';
import { lockFolder, type FolderLock } from './folder-lock.ts';
import type { Log } from './log.ts';
import { provideBinaries, removeOtherVersions, type Binaries } from './postgres-binaries.ts';
import {
  clearDeadServer,
  findSurvivor,
  initCluster,
  isAlive,
  startServer,
  stopServer,
  type ServerPlace,
  type ServerProcess,
} from './postgres-server.ts';
import { StorageRefusal } from './refusal.ts';
import { postgresAccount } from './system-user.ts';

export interface EmbeddedOptions {
  readonly dataFolder: string;
  readonly report: (line: string) => void;
  readonly log: Log;
  readonly maxConnections?: number;
  readonly onDown?: () => void;
  readonly onUp?: () => void;
}

const WATCH_MS = 200;
const LOOKS_PER_DISK_CHECK = 50;
const BACKOFF_MS = { first: 100, most: 10_000 };

/** Berth's own PostgreSQL: one per data folder, watched, started again when it dies. */
export class EmbeddedPostgres {
  readonly #options: EmbeddedOptions;
  readonly #lock: FolderLock;
  readonly #place: ServerPlace;
  readonly #reserve: DiskReserve;
  readonly #stopping = new AbortController();
  #server: ServerProcess;
  readonly #watching: Promise<void>;

  private constructor(
    options: EmbeddedOptions,
    parts: { lock: FolderLock; place: ServerPlace; reserve: DiskReserve; server: ServerProcess },
  ) {
    this.#options = options;
    this.#lock = parts.lock;
    this.#place = parts.place;
    this.#reserve = parts.reserve;
    this.#server = parts.server;
    this.#watching = this.#watch();
  }

  /** Throws StorageRefusal, with the remedy, where it cannot. */
  static async start(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
    const account = postgresAccount(options.report);
    const folders = preparePostgresFolders(options.dataFolder, account);
    const lock = await lockFolder(options.dataFolder);
    try {
      const reserve = new DiskReserve(folders.home, options.report);
      await reserve.check(!existsSync(folders.cluster));
      const binaries = await provideBinaries(folders.binaries);
      refuseOtherVersion(folders, binaries);
      const place: ServerPlace = {
        binaries,
        account,
        cluster: folders.cluster,
        socketFolder: folders.sockets,
        logFile: folders.logFile,
        maxConnections: options.maxConnections ?? 30,
      };
      const server = await runningServer(place, options);
      await reserve.adjust();
      await removeOtherVersions(folders.binaries, binaries.version);
      await ensureDatabase(place).catch(async (error: unknown) => {
        await stopServer(server);
        throw error;
      });
      return new EmbeddedPostgres(options, { lock, place, reserve, server });
    } catch (error) {
      if (findSurvivor(folders.cluster) === undefined) await rm(folders.sockets, { recursive: true, force: true });
      await lock.release();
      throw error;
    }
  }

  get connection(): Connection {
    return connectionTo(this.#place, 'berth');
  }

  get pid(): number {
    return this.#server.pid;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    await stopServer(this.#server);
    await rm(this.#place.socketFolder, { recursive: true, force: true });
    await this.#lock.release();
  }

  /** One that was adopted is nobody's child here, so its end is seen by looking. */
  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    for (let tick = 1; !signal.aborted; tick += 1) {
      await delay(WATCH_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted && !isAlive(this.#server)) await this.#revive();
      if (tick % LOOKS_PER_DISK_CHECK === 0)
        await this.#reserve.adjust().catch((error: unknown) => this.#options.log('warn', 'the disk cannot be checked', { err: error }));
    }
  }

  async #revive(): Promise<void> {
    const { log, onDown, onUp } = this.#options;
    log('error', 'PostgreSQL ended; it is started again', { pid: this.#server.pid, log: this.#place.logFile });
    onDown?.();
    for (let backoff = BACKOFF_MS.first; !this.#stopping.signal.aborted; backoff = Math.min(backoff * 2, BACKOFF_MS.most)) {
      try {
        await this.#reserve.adjust();
        this.#server = await runningServer(this.#place, this.#options);
        log('info', 'PostgreSQL runs again', { pid: this.#server.pid });
        onUp?.();
        return;
      } catch (error) {
        log('error', 'PostgreSQL did not start; it is tried again', { err: error });
        await delay(backoff, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => undefined);
      }
    }
  }
}

async function runningServer(place: ServerPlace, { report }: EmbeddedOptions): Promise<ServerProcess> {
  if (!existsSync(place.cluster)) {
    report("Making Berth's own PostgreSQL database …");
    await initCluster(place);
  }
  const survivor = findSurvivor(place.cluster);
  if (survivor !== undefined) {
    if (survivor.ready && survivor.socketFolder === place.socketFolder && (await answers(place))) {
      report(`Found Berth's PostgreSQL still running (process ${survivor.pid}) and took it over.`);
      return survivor;
    }
    report(`Stopping a PostgreSQL that an earlier Berth left behind (process ${survivor.pid}) …`);
    await stopServer(survivor);
  }
  await clearDeadServer(place);
  return startServer(place);
}

async function ensureDatabase(place: ServerPlace): Promise<void> {
  const client = new Client(connectionTo(place, 'postgres'));
  await client.connect();
  try {
    const { rowCount } = await client.query(`select from pg_database where datname = 'berth'`);
    if (rowCount === 0) await client.query('create database berth');
  } finally {
    await client.end();
  }
}

/** Whether the server at the socket is the one these binaries would start. */
async function answers(place: ServerPlace): Promise<boolean> {
  const client = new Client({ ...connectionTo(place, 'postgres'), connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>(`select current_setting('server_version') as version`);
    return place.binaries.version.startsWith(`${rows[0]?.version}.`);
  } catch {
    // Whatever the reason: it is of no use, and is stopped and started properly.
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const connectionTo = ({ socketFolder }: ServerPlace, database: string): Connection => ({
  host: socketFolder,
  port: 5432,
  user: 'berth',
  database,
  password: '',
  ssl: false,
});

function refuseOtherVersion({ cluster }: PostgresFolders, { major }: Binaries): void {
  const file = join(cluster, 'PG_VERSION');
  if (!existsSync(cluster)) return;
  const found = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'unknown';
  if (found === major) return;
  throw new StorageRefusal(
    'wrong-version',
    `The database in ${cluster} was made by PostgreSQL ${found}, and this Berth comes with ${major}. ` +
      `Run the Berth that made it, back it up (berth backup FILE), and restore that with this one in an empty data folder.`,
  );
}
