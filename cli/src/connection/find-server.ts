import { Failure } from '../failure.ts';
import type { Io } from '../io.ts';
import { readConfig } from './config-file.ts';
import { readLocalAccess } from './local-access.ts';

const DEFAULT_URL = 'http://127.0.0.1:4280';

export interface ServerChoice {
  readonly url: string;
  readonly token?: string;
}

/** Flags, then the environment, then what `berth login` stored, then a server of this machine and user. */
export async function findServer(given: { url?: string; token?: string }, io: Pick<Io, 'env'>): Promise<ServerChoice> {
  const named = given.url ?? (io.env['BERTH_URL'] || undefined);
  const config = await readConfig(io.env);
  const local = await readLocalAccess(io.env);
  const url = originOf(named ?? config.current ?? local?.url ?? DEFAULT_URL);
  const token =
    given.token ??
    (io.env['BERTH_TOKEN'] || undefined) ??
    config.servers[url]?.token ??
    (local && isSame(local.url, url) ? local.token : undefined);
  return { url, ...(token === undefined ? {} : { token }) };
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** Also under another name of this machine's own: nobody else can be there. */
function isSame(local: string, named: string): boolean {
  const [a, b] = [new URL(local), new URL(named)];
  return (
    a.origin === b.origin || (a.protocol === b.protocol && a.port === b.port && [a, b].every(({ hostname }) => LOOPBACK.includes(hostname)))
  );
}

export function originOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new Failure('usage', `"${text}" is not the address of a server: write it like ${DEFAULT_URL} or https://berth.example.org`);
  }
  return url.origin;
}
