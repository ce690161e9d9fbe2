import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './process-identity.ts';
import { StorageRefusal } from './refusal.ts';

export const KEY_BYTES = 32;
export const secretKeyPath = (dataFolder: string): string => join(dataFolder, 'secret.key');

/** What secrets in the database are encrypted with: kept beside it, never in it. Made at the first start. */
export async function openSecretKey(dataFolder: string, report: (line: string) => void): Promise<Buffer> {
  const path = secretKeyPath(dataFolder);
  const existing = await readKey(path);
  if (existing !== undefined) return existing;
  const key = randomBytes(KEY_BYTES);
  await writeKeyOnce(path, key);
  report(`Made the secret key ${path}. Without it, key pairs and stored credentials in the database are lost: berth backup includes it.`);
  return (await readKey(path)) ?? key;
}

async function readKey(path: string): Promise<Buffer | undefined> {
  let key: Buffer;
  try {
    key = await readFile(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  if (key.length === KEY_BYTES) return key;
  throw new StorageRefusal(
    'damaged-key',
    `${path} has ${key.length} bytes instead of ${KEY_BYTES}: it is damaged. Put it back from a backup.`,
  );
}

/** Whole or not at all, and never over another: of two servers starting at once, both use the first one's. */
async function writeKeyOnce(path: string, key: Buffer): Promise<void> {
  const unfinished = `${path}.${process.pid}`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    await file.writeFile(key);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(unfinished, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    await rm(unfinished, { force: true });
  }
}
