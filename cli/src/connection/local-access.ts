import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isErrno, isRecord } from './config-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface LocalAccess {
  readonly url: string;
  readonly token: string;
}

function dataFolder(env: Environment): string {
  if (env['BERTH_DATA']) return env['BERTH_DATA'];
  return process.getuid?.() === 0 ? '/var/lib/berth' : join(env['HOME'] || homedir(), '.local', 'share', 'berth');
}

/** What a server on this machine left for its own user. A file that others could have written or read is not believed. */
export async function readLocalAccess(env: Environment): Promise<LocalAccess | undefined> {
  const path = join(dataFolder(env), 'local-access.json');
  try {
    const { uid, mode } = await stat(path);
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0) return undefined;
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (!isRecord(value) || typeof value['url'] !== 'string' || typeof value['token'] !== 'string') return undefined;
    return { url: new URL(value['url']).origin, token: value['token'] };
  } catch (error) {
    // Absent or not ours: sign in as from any other machine. Half written (a server is just starting) is the same.
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'ERR_INVALID_URL'].some((code) => isErrno(error, code)) || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}
