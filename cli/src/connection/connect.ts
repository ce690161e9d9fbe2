import { createClient, ProblemError, type Client } from '@berth/contract';
import { EXIT, Failure } from '../failure.ts';
import type { Io } from '../io.ts';
import { askSecret } from './ask-secret.ts';
import { readConfig, writeConfig } from './config-file.ts';
import { findServer, type ServerChoice } from './find-server.ts';
import { reachingFetch } from './reach.ts';

export interface Connection {
  readonly url: string;
  readonly token: string;
  readonly client: Client;
}

const ANSWER_WITHIN_MS = 30_000;
const TRIES = 3;

export function clientOf(url: string, token?: string): Client {
  return createClient({
    url,
    ...(token === undefined ? {} : { token }),
    fetch: (input, init) => reachingFetch(input, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }),
  });
}

export const connectionOf = (url: string, token: string): Connection => ({ url, token, client: clientOf(url, token) });

export async function connect(given: { url?: string; token?: string }, io: Io): Promise<Connection> {
  io.onSignal('SIGINT', () => io.exit(EXIT.interrupted));
  const server = await findServer(given, io);
  return server.token === undefined ? signIn(server, io) : connectionOf(server.url, server.token);
}

/** Asks until the server takes the token, then remembers it. */
export async function signIn({ url }: ServerChoice, io: Io): Promise<Connection> {
  // Who is not there cannot be signed in to: that comes first.
  await clientOf(url).getVersion();
  if (!io.stdin.isTTY || !io.stderr.isTTY) {
    throw new Failure('not-signed-in', `not signed in; set BERTH_TOKEN or run berth login (on a terminal) for ${url}.`);
  }
  io.stderr.write(
    `Not signed in to ${url}. A token is made by: berth token create NAME (where you are signed in, or by an administrator).\n`,
  );
  for (let left = TRIES; left > 0; left--) {
    const token = (await askSecret('Token (not shown): ', io)).trim();
    if (token === '') continue;
    const connection = connectionOf(url, token);
    const problem = await signInProblem(connection, io);
    if (problem === undefined) return connection;
    io.stderr.write(`${problem}${left > 1 ? ' Try again.' : ''}\n`);
  }
  throw new Failure('not-signed-in', `not signed in to ${url}: ${TRIES} attempts failed. Ask for a new token, then run berth login.`);
}

/** Undefined when the token was taken: it is stored by then. */
export async function signInProblem({ url, token, client }: Connection, io: Io): Promise<string | undefined> {
  try {
    const me = await client.getMe();
    const config = await readConfig(io.env);
    await writeConfig(io.env, { current: url, servers: { ...config.servers, [url]: { token } } });
    io.stderr.write(`Signed in to ${url} as ${me.name}.\n`);
    return undefined;
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'not-signed-in') return `The token was refused: ${error.message}`;
    // A token with odd characters cannot even be sent.
    if (error instanceof Failure && error.cause instanceof TypeError && /header/i.test(error.cause.message)) return 'That is not a token.';
    throw error;
  }
}
