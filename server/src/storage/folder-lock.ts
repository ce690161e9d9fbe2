import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno, processIdentity } from './process-identity.ts';
import { StorageRefusal } from './refusal.ts';

const ATTEMPTS = 5;

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * One Berth per data folder. Each puts up a file of its own and then looks for others: of two at once, each sees the other's
 * and at most one stays. A file names its process, so one left by a dead process is removed without any race.
 */
export async function lockFolder(dataFolder: string): Promise<FolderLock> {
  const folder = join(dataFolder, 'locks');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const own = `${process.pid}.${processIdentity(process.pid) ?? 'unknown'}.${randomUUID().slice(0, 8)}`;
  for (let attempt = 1; ; attempt += 1) {
    await writeFile(join(folder, own), '', { mode: 0o600 });
    const holder = await otherHolder(folder, own);
    if (holder === undefined) return { release: () => rm(join(folder, own), { force: true }) };
    await rm(join(folder, own), { force: true });
    if (attempt === ATTEMPTS) throw busy(dataFolder, holder);
    // The other one may be looking at ours at this moment, or about to end.
    await delay(20 + Math.random() * 80);
  }
}

/** The process that holds the folder; undefined: nobody. */
export async function folderHolder(dataFolder: string): Promise<number | undefined> {
  return otherHolder(join(dataFolder, 'locks'));
}

async function otherHolder(folder: string, own?: string): Promise<number | undefined> {
  for (const name of await readdir(folder).catch(noneIfAbsent)) {
    const [, pid = '', identity] = /^(\d+)\.([^.]+)/.exec(name) ?? [];
    if (name === own || identity === undefined) continue;
    if (processIdentity(Number(pid)) === identity) return Number(pid);
    await rm(join(folder, name), { force: true });
  }
  return undefined;
}

function noneIfAbsent(error: unknown): string[] {
  if (isErrno(error, 'ENOENT')) return [];
  throw error;
}

const busy = (dataFolder: string, pid: number): StorageRefusal =>
  new StorageRefusal(
    'folder-busy',
    `Another Berth (process ${pid}) uses the data folder ${dataFolder}. Use that one, stop it (kill ${pid}), or give this one a folder of its own with BERTH_DATA.`,
  );
