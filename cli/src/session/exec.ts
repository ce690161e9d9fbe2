import { streams, urlOf } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import type { Connection } from '../connection/connect.ts';
import { unreachable } from '../connection/reach.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Io } from '../io.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../terminal/detach-keys.ts';
import { InputPump } from '../terminal/input-pump.ts';
import { isGone } from '../terminal/link-failure.ts';
import { openLink, type Link } from '../terminal/link.ts';
import { OutputRelay } from '../terminal/output-relay.ts';
import { receive } from '../terminal/receive.ts';
import type { Ending } from '../terminal/stay-attached.ts';
import { terminalSize } from '../terminal/terminal-size.ts';
import { tellEnding } from './tell-ending.ts';

interface ExecOptions {
  readonly tty?: boolean;
  readonly detachKeys: string;
  readonly container: string;
}

export const define: Define = (command, run) => {
  command
    .showHelpAfterError('A command to be run goes behind "--", with its own options. See also --help.')
    .usage('[options] <session> [-- command...]')
    .argument('<session>', 'id, beginning of an id, or name')
    .argument('[command...]', 'run this instead of a shell; put -- before it')
    .option('--tty', 'with a terminal, whatever stdin and stdout are')
    .option('--no-tty', 'without a terminal')
    .option('--detach-keys <keys>', 'leave it running', DEFAULT_DETACH_KEYS)
    .option('--container <name>', 'of a session of several: sub1, sub2, ...', 'main1')
    .action((session: string, words: string[], options: ExecOptions) =>
      run((context) => execSession({ session, words, options }, context)),
    );
};

interface Wish {
  readonly session: string;
  readonly words: readonly string[];
  readonly options: ExecOptions;
}

export async function execSession({ session, words, options }: Wish, context: Context): Promise<number> {
  const { io } = context;
  const detachKeys = parseDetachKeys(options.detachKeys);
  const tty = options.tty ?? (io.stdin.isTTY === true && io.stdout.isTTY === true);
  const connection = await context.connect();
  const { id } = await connection.client.getSession({ params: { session } });
  const link = await linkTo(connection, urlFor(connection, { id, words, tty, container: options.container }, io));
  const input = tty || io.stdin.isTTY !== true || words.length === 0;
  const ending = await follow(link, { tty, input, detachKeys }, io);
  if (ending === undefined) {
    throw new Failure(
      'connection-lost',
      `the connection to ${connection.url} was lost; whether the command still runs is not known. Try again.`,
    );
  }
  return typeof ending === 'number' ? ending : tellEnding(ending, { id, tty }, io);
}

interface Target {
  readonly id: string;
  readonly words: readonly string[];
  readonly tty: boolean;
  readonly container: string;
}

function urlFor({ url }: Connection, { id, words, tty, container }: Target, io: Io): URL {
  const size = tty ? terminalSize(io.stdout) : undefined;
  return urlOf(url, streams.execSession.path, {
    params: { session: id },
    query: { command: JSON.stringify(words), tty, container, ...size },
  });
}

async function linkTo(connection: Connection, url: URL): Promise<Link> {
  try {
    return await openLink(url, connection);
  } catch (error) {
    throw isGone(error) ? unreachable(connection.url, error) : error;
  }
}

/** Undefined when the connection broke, a number when a signal ended it. */
async function follow(
  link: Link,
  wishes: { tty: boolean; input: boolean; detachKeys: readonly number[] },
  io: Io,
): Promise<Ending | number | undefined> {
  const pump = new InputPump(wishes, io);
  const relay = new OutputRelay({ ...wishes, clear: false }, io);
  const { promise: signalled, resolve } = Promise.withResolvers<number>();
  const releases = [
    io.onSignal('SIGINT', () => resolve(EXIT.interrupted)),
    io.onSignal('SIGTERM', () => resolve(EXIT.terminated)),
    io.onSignal('SIGHUP', () => resolve(EXIT.hangUp)),
  ];
  try {
    pump.linkAttached(link);
    return await Promise.race([receive(link, { pump, relay }), pump.ended, signalled]);
  } finally {
    pump.stop();
    relay.stop();
    link.close();
    for (const release of releases) release();
  }
}
