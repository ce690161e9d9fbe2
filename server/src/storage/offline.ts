import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from './database.ts';
import { makeDataFolder } from './data-folder.ts';
import { EmbeddedPostgres } from './embedded-postgres.ts';
import { folderHolder } from './folder-lock.ts';
import type { Log } from './log.ts';
import { findSurvivor } from './postgres-server.ts';

/** Where an installation keeps what it keeps. */
export interface Place {
  readonly databaseUrl?: string;
  readonly dataFolder: string;
  readonly report: (line: string) => void;
  readonly log: Log;
}

/** Uses the database of an installation whether or not its Berth runs: its server if it does, else one started for the while. */
export async function withConnection<T>(place: Place, use: (connection: Connection) => Promise<T>): Promise<T> {
  makeDataFolder(place.dataFolder);
  if (place.databaseUrl !== undefined) return use({ connectionString: place.databaseUrl });
  const folder = await realpath(place.dataFolder);
  const running = (await folderHolder(folder)) === undefined ? undefined : findSurvivor(join(folder, 'postgres', 'data'));
  if (running !== undefined)
    return use({ host: running.socketFolder, port: 5432, user: 'berth', database: 'berth', password: '', ssl: false });
  const server = await EmbeddedPostgres.start(place);
  try {
    return await use(server.connection);
  } finally {
    await server.stop();
  }
}
