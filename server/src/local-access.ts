import { randomBytes } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProblemError } from '@berth/contract';
import type { TokenStore, User, UserStore } from './domain/users/user-store.ts';
import { hashToken, newTokenSecret } from './domain/users/token.ts';

const DAY_MS = 86_400_000;
/** Where the data folder goes with the machine, as in a pod, what it held must not be good for ever. */
const LIFETIME_MS = 30 * DAY_MS;

/**
 * Signs in the command line of the server's own machine and user: whoever can read this 0600 file could read the database too.
 * To be repeated daily: what is granted is renewed long before it ends.
 */
export async function grantLocalAccess(options: {
  dataFolder: string;
  url: string;
  instance: string;
  users: UserStore;
  tokens: TokenStore;
  newId: () => string;
  now: () => Date;
}): Promise<void> {
  const path = join(options.dataFolder, 'local-access.json');
  const admin = await firstAdmin(options.users, options.newId);
  const token = (await stillValid(path, options)) ?? (await mint(admin, options));
  const temporary = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(temporary, `${JSON.stringify({ url: options.url, token, instance: options.instance, pid: process.pid })}\n`, {
    mode: 0o600,
  });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

/** Of several servers that start on a new database, one is the first to make her. */
async function firstAdmin(users: UserStore, newId: () => string): Promise<User> {
  const found = await users.find('admin');
  if (found !== undefined) return found;
  try {
    return await users.create({ id: newId(), name: 'admin', role: 'admin' });
  } catch (error) {
    const made = error instanceof ProblemError && error.code === 'name-taken' ? await users.find('admin') : undefined;
    if (made === undefined) throw error;
    return made;
  }
}

async function stillValid(path: string, { tokens, now }: { tokens: TokenStore; now: () => Date }): Promise<string | undefined> {
  try {
    const { token } = JSON.parse(await readFile(path, 'utf8')) as { token?: unknown };
    if (typeof token !== 'string') return undefined;
    const found = await tokens.lookUp(hashToken(token));
    if (found === undefined || found.token.revokedAt !== null || found.user.disabled) return undefined;
    const left = (found.token.expiresAt?.getTime() ?? 0) - now().getTime();
    return left > LIFETIME_MS / 2 ? token : undefined;
  } catch {
    return undefined;
  }
}

async function mint(admin: User, options: { tokens: TokenStore; newId: () => string; now: () => Date }): Promise<string> {
  const { secret, hash, prefix } = newTokenSecret(randomBytes(32));
  const expiresAt = new Date(options.now().getTime() + LIFETIME_MS);
  await options.tokens.create({ id: options.newId(), name: 'this machine', userId: admin.id, prefix, hash, expiresAt });
  return secret;
}
