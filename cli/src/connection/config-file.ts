import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `berth login` remembers. `current` is the server used when none is named. */
export interface StoredConfig {
  readonly current?: string;
  readonly servers: Readonly<Record<string, { readonly token: string }>>;
}

export function configPath(env: Environment): string {
  if (env['BERTH_CONFIG']) return env['BERTH_CONFIG'];
  const home = env['HOME'] || homedir();
  return join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'berth', 'config.json');
}

export async function readConfig(env: Environment): Promise<StoredConfig> {
  const path = configPath(env);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { servers: {} };
    throw new Failure('failed', `${path} cannot be read (${(error as Error).message}): make it readable, or remove it and sign in again.`);
  }
  const config = parseConfig(text);
  if (config === undefined) throw new Failure('failed', `${path} is damaged: remove it and sign in again with berth login.`);
  return config;
}

/** Written beside and renamed, so that nobody ever reads half a file; only its owner can read it. */
export async function writeConfig(env: Environment, config: StoredConfig): Promise<void> {
  const path = configPath(env);
  const folder = dirname(path);
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made !== undefined || !env['BERTH_CONFIG']) await chmod(folder, 0o700);
    const draft = `${path}.${randomUUID()}`;
    await writeFile(draft, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    throw new Failure('failed', `the token cannot be stored in ${path} (${(error as Error).message}): set BERTH_TOKEN instead.`);
  }
}

function parseConfig(text: string): StoredConfig | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { current, servers } = value;
  if (current !== undefined && typeof current !== 'string') return undefined;
  if (!isRecord(servers) || !Object.values(servers).every((server) => isRecord(server) && typeof server['token'] === 'string')) {
    return undefined;
  }
  return { ...(current === undefined ? {} : { current }), servers: servers as StoredConfig['servers'] };
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isErrno = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;
