import { randomBytes } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenStore, User, UserStore } from './domain/users/user-store.ts';
import { hashToken, newTokenSecret } from './domain/users/token.ts';

/** Signs in the command line of the server's own machine and user: whoever can read this 0600 file could read the database too. */
export async function grantLocalAccess(options: {
  dataFolder: string;
  url: string;
  instance: string;
  users: UserStore;
  tokens: TokenStore;
  newId: () => string;
}): Promise<void> {
  const path = join(options.dataFolder, 'local-access.json');
  const admin = await firstAdmin(options.users, options.newId);
  const token = (await stillValid(path, options.tokens)) ?? (await mint(admin, options));
  const temporary = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(temporary, `${JSON.stringify({ url: options.url, token, instance: options.instance, pid: process.pid })}\n`, {
    mode: 0o600,
  });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

async function firstAdmin(users: UserStore, newId: () => string): Promise<User> {
  return (await users.find('admin')) ?? (await users.create({ id: newId(), name: 'admin', role: 'admin' }));
}

async function stillValid(path: string, tokens: TokenStore): Promise<string | undefined> {
  try {
    const { token } = JSON.parse(await readFile(path, 'utf8')) as { token?: unknown };
    if (typeof token !== 'string') return undefined;
    const found = await tokens.lookUp(hashToken(token));
    return found !== undefined && found.token.revokedAt === null && !found.user.disabled ? token : undefined;
  } catch {
    return undefined;
  }
}

async function mint(admin: User, options: { tokens: TokenStore; newId: () => string }): Promise<string> {
  const { secret, hash, prefix } = newTokenSecret(randomBytes(32));
  await options.tokens.create({ id: options.newId(), name: 'this machine', userId: admin.id, prefix, hash, expiresAt: null });
  return secret;
}
