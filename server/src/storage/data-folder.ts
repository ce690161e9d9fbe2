import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isErrno } from './process-identity.ts';
import { StorageRefusal } from './refusal.ts';
import type { Account } from './system-user.ts';

/** Where what belongs to PostgreSQL lies. The binaries stay the server's own, the rest is its account's. */
export interface PostgresFolders {
  readonly home: string;
  readonly binaries: string;
  readonly cluster: string;
  readonly logFile: string;
  readonly sockets: string;
}

/** Closed to others; the folders above it, where they are missing, are not. */
export function makeDataFolder(dataFolder: string): void {
  try {
    mkdirSync(dirname(dataFolder), { recursive: true });
    // Not recursive: below /proc, where nothing can be made, Node would try for ever.
    mkdirSync(dataFolder, { mode: 0o700 });
  } catch (error) {
    if (isErrno(error, 'EEXIST') && statSync(dataFolder).isDirectory()) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StorageRefusal(
      'unreachable-folder',
      `The data folder ${dataFolder} cannot be made: ${reason}. Name another with BERTH_DATA.`,
      { cause: error },
    );
  }
}

/** Makes the folders, and refuses those that are somebody else's or that the account cannot reach. */
export function preparePostgresFolders(dataFolder: string, account: Account): PostgresFolders {
  makeDataFolder(dataFolder);
  const folder = realpathSync(dataFolder);
  refuseForeign(folder, process.getuid?.() ?? 0);
  const home = join(folder, 'postgres');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (account.other) {
    // Passing through is enough: what lies in them is protected file by file.
    chmodSync(folder, 0o711);
    chownSync(home, account.uid, account.gid);
    refuseUnreachable(folder, account);
  }
  const cluster = join(home, 'data');
  refuseForeignCluster(cluster, account);
  return {
    home,
    binaries: join(folder, 'postgres-binaries'),
    cluster,
    logFile: join(home, 'postgres.log'),
    sockets: socketFolder(folder, account),
  };
}

function refuseForeign(folder: string, uid: number): void {
  const owner = statSync(folder).uid;
  if (owner === uid) return;
  throw new StorageRefusal(
    'wrong-owner',
    `The data folder ${folder} belongs to user ${owner}, and Berth runs as user ${uid}. Run Berth as that user, hand the folder over (chown -R ${uid} ${folder}), or name another with BERTH_DATA.`,
  );
}

function refuseForeignCluster(cluster: string, account: Account): void {
  const stats = statSync(cluster, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (stats.uid !== account.uid) {
    throw new StorageRefusal(
      'wrong-owner',
      `${cluster} belongs to user ${stats.uid}, and PostgreSQL runs as ${account.name} (${account.uid}). Hand it over: chown -R ${account.uid}:${account.gid} ${cluster}`,
    );
  }
  if ((stats.mode & 0o077 & ~0o050) !== 0) {
    throw new StorageRefusal(
      'wrong-permissions',
      `${cluster} is open to others (mode ${(stats.mode & 0o777).toString(8)}), and PostgreSQL refuses that. Close it: chmod 700 ${cluster}`,
    );
  }
}

/** Every folder above must let the account pass. */
function refuseUnreachable(folder: string, account: Account): void {
  for (let path = folder; ; path = dirname(path)) {
    const { mode, uid, gid } = statSync(path);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      throw new StorageRefusal(
        'unreachable-folder',
        `The system user "${account.name}", whom PostgreSQL runs as, cannot pass ${path} (mode ${(mode & 0o777).toString(8)}) to reach ${folder}. ` +
          `Name a data folder outside it with BERTH_DATA (the default for root is /var/lib/berth), or let others pass: chmod o+x ${path}`,
      );
    }
    if (path === dirname(path)) return;
  }
}

/** Short, whatever the data folder is called: a socket's path has at most 107 bytes. */
function socketFolder(dataFolder: string, account: Account): string {
  const name = `berth-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 12)}`;
  const folder = join(account.other ? '/run' : tmpdir(), name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stats = lstatSync(folder);
  const self = process.getuid?.() ?? 0;
  if (!stats.isDirectory() || (stats.uid !== account.uid && stats.uid !== self)) {
    throw new StorageRefusal(
      'wrong-owner',
      `${folder}, where PostgreSQL's socket is to lie, is somebody else's (user ${stats.uid}). Remove it, or set TMPDIR to a folder of your own.`,
    );
  }
  chmodSync(folder, 0o700);
  if (account.other) chownSync(folder, account.uid, account.gid);
  return folder;
}
