import type { Session } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import type { Connection } from '../connection/connect.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Io, Signal } from '../io.ts';
import { shortId, stateWords } from '../output/words.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../terminal/detach-keys.ts';
import { stayAttached } from '../terminal/stay-attached.ts';
import { endCode, hasEnded } from './end-code.ts';
import { tellEnding } from './tell-ending.ts';

interface AttachOptions {
  readonly detachKeys: string;
  readonly container: string;
}

const MAIN = 'main1';

export const define: Define = (command, run) => {
  command
    .argument('[session]', 'id, beginning of an id, or name; without it the only one that runs')
    .option('--detach-keys <keys>', 'leave without ending it', DEFAULT_DETACH_KEYS)
    .option('--container <name>', 'of a session of several: sub1, sub2, ...', MAIN)
    .action((name: string | undefined, options: AttachOptions) => run((context) => attachSession(name, options, context)));
};

export async function attachSession(name: string | undefined, options: AttachOptions, context: Context): Promise<number> {
  const { io } = context;
  const detachKeys = parseDetachKeys(options.detachKeys);
  const connection = await context.connect();
  const session = name === undefined ? await onlyRunning(connection) : await connection.client.getSession({ params: { session: name } });
  refuseUnattachable(session);
  const isTerminal = io.stdin.isTTY === true && io.stdout.isTTY === true;
  const { container } = options;
  // Beside main1 a shell on a terminal waits, whatever the session's command is.
  const tty = session.tty || container !== MAIN;
  if (!isTerminal && tty)
    throw new Failure(
      'usage',
      `session ${shortId(session.id)} has a terminal: attach to it from one, or read it with: berth session logs -f ${shortId(session.id)}`,
    );
  const input = tty || (session.stdin === 'open' && io.stdin.isTTY !== true);
  const { leave, signalled, release } = leaveOnSignals(io);
  try {
    const onStatus = (message: string): boolean => io.stderr.write(`${message}\n`);
    const wishes = { connection, session: session.id, container, tty, input, detachKeys, clear: true, leave, onStatus };
    const ending = await stayAttached(wishes, io);
    return signalled() === EXIT.hangUp ? EXIT.hangUp : tellEnding(ending, { id: session.id, tty }, io);
  } finally {
    release();
  }
}

async function onlyRunning({ client }: Connection): Promise<Session> {
  const me = await client.getMe();
  const { items } = await client.listSessions({ query: { state: 'running', owner: me.name } });
  const [only, ...others] = items;
  if (only === undefined)
    throw new Failure('failed', 'none of your sessions is running: start one with berth session create, or resume one.');
  if (others.length === 0) return only;
  const names = items.map((item) => item.name).join(', ');
  throw new Failure('usage', `${items.length} of your sessions are running (${names}): say which, as in berth session attach ${only.name}`);
}

function refuseUnattachable(session: Session): void {
  const name = `session ${shortId(session.id)}`;
  if (hasEnded(session)) {
    throw new Failure(
      'failed',
      `${name} has ended (${stateWords(session)}): read what it printed with berth session logs ${shortId(session.id)}`,
      {
        exitCode: endCode(session) === 0 ? EXIT.failure : endCode(session),
      },
    );
  }
  if (session.state === 'paused' || session.state === 'pausing') {
    throw new Failure('failed', `${name} is paused: go on with it by berth session resume ${shortId(session.id)}`);
  }
}

/** Who only attached leaves when interrupted; the session is not ended by that. */
function leaveOnSignals(io: Io): { leave: AbortSignal; signalled: () => number | undefined; release: () => void } {
  const leaving = new AbortController();
  let code: number | undefined;
  const on = (signal: Signal, exitCode: number) =>
    io.onSignal(signal, () => {
      if (code !== undefined) return io.exit(exitCode);
      code = exitCode;
      leaving.abort();
    });
  const releases = [on('SIGINT', EXIT.interrupted), on('SIGTERM', EXIT.terminated), on('SIGHUP', EXIT.hangUp)];
  return { leave: leaving.signal, signalled: () => code, release: () => releases.forEach((release) => release()) };
}
