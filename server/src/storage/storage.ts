import { PostgresCallbackStore } from './callback-store.ts';
import { checkServer, openDatabase, type Connection, type Database } from './database.ts';
import { makeDataFolder } from './data-folder.ts';
import { EmbeddedPostgres } from './embedded-postgres.ts';
import { instanceId } from './installation.ts';
import { PostgresKeypairStore } from './keypair-store.ts';
import type { Log } from './log.ts';
import { migrate } from './migrate.ts';
import { PostgresNotifications } from './notifications.ts';
import { PostgresQuarantineStore } from './quarantine-store.ts';
import { openSecretKey, secretKeyPath } from './secret-key.ts';
import { adoptForeignEvents } from './session-events.ts';
import { PostgresSessionStore } from './session-store.ts';
import { PostgresSessionUses } from './session-uses.ts';
import { PostgresStorageStore } from './storage-store.ts';
import { PostgresTokenStore } from './token-store.ts';
import { PostgresUserStore } from './user-store.ts';

export interface StorageOptions {
  /** Without it Berth runs its own PostgreSQL in the data folder. */
  readonly databaseUrl?: string;
  readonly dataFolder: string;
  /** A line for each step a person at the terminal should know of. */
  readonly report: (line: string) => void;
  readonly log: Log;
}

export interface Storage {
  readonly db: Database;
  readonly sessions: PostgresSessionStore;
  readonly uses: PostgresSessionUses;
  readonly users: PostgresUserStore;
  readonly tokens: PostgresTokenStore;
  readonly keypairs: PostgresKeypairStore;
  readonly storages: PostgresStorageStore;
  readonly callbacks: PostgresCallbackStore;
  readonly quarantine: PostgresQuarantineStore;
  readonly notifications: PostgresNotifications;
  /** Identifies the installation: what it makes is labelled with this. */
  readonly instance: string;
  readonly secretKey: Buffer;
  /** Stops the embedded server too. */
  close(): Promise<void>;
}

/** Everything that is kept. Throws StorageRefusal, with the remedy, where it cannot be opened. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { dataFolder, databaseUrl, report, log } = options;
  makeDataFolder(dataFolder);
  const embedded = databaseUrl === undefined ? await EmbeddedPostgres.start({ dataFolder, report, log }) : undefined;
  const connection: Connection = embedded?.connection ?? { connectionString: databaseUrl };
  const db = openDatabase(connection, log);
  const notifications = new PostgresNotifications(connection, log);
  const close = async (): Promise<void> => {
    await notifications.close();
    await db.destroy();
    await embedded?.stop();
  };
  try {
    await checkServer(db);
    await migrate(db);
    await adoptForeignEvents(db);
    const secretKey = await openSecretKey(dataFolder, report);
    const keypairs = new PostgresKeypairStore(db, secretKey);
    const tokens = new PostgresTokenStore(db);
    const rightsChanged = (): void => {
      keypairs.forget();
      tokens.forget();
    };
    await reportUnusable(keypairs, options);
    await notifications.start();
    return {
      db,
      sessions: new PostgresSessionStore(db),
      uses: new PostgresSessionUses(db),
      users: new PostgresUserStore(db, rightsChanged),
      tokens,
      keypairs,
      storages: new PostgresStorageStore(db),
      callbacks: new PostgresCallbackStore(db),
      quarantine: new PostgresQuarantineStore(db),
      notifications,
      instance: await instanceId(db),
      secretKey,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Not refused: everything else works without them. */
async function reportUnusable(keypairs: PostgresKeypairStore, { dataFolder, report }: StorageOptions): Promise<void> {
  const unusable = await keypairs.countUnusable();
  if (unusable === 0) return;
  report(
    `Of the key pairs ${unusable} cannot be used: their secrets were encrypted with another key than ${secretKeyPath(dataFolder)}. ` +
      'Stop this server and put that key back from a backup, or revoke them and make new ones (berth keypair).',
  );
}
