import { randomUUID } from 'node:crypto';
import { RuntimeError, type ExecRequest, type Terminal } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { ClusterRefusal } from './errors.ts';
import { LOGIN_SHELL } from '../login-shell.ts';
import { DECODE_STDIN } from './gate.ts';
import { MAIN } from './names.ts';
import { CLOSING_PROTOCOL, PLAIN_PROTOCOL, type StreamSocket } from './stream-socket.ts';
import { terminalOf, type StdinForm } from './stream-terminal.ts';

type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;

/** `shell`: its image has /bin/sh. Without one a command runs as it is: no end of input before Kubernetes 1.30, no hang-up. */
export interface ExecTarget {
  readonly pod: string;
  readonly shell: boolean;
}

/** What the command inherits marks it, so that it can be found again. */
const MARKED = 'export BERTH_EXEC="$1"; shift; exec "$@"';

/** A terminal's size that comes before its process is lost in half of all cases: the process sets it itself. */
const markedTty = ({ rows, cols }: { rows: number; cols: number }): string =>
  `stty rows ${rows} cols ${cols} 2>/dev/null; export TERM=xterm-256color; ${MARKED}`;

/**
 * Decodes what stdin-framing.ts encodes. The decoder tells its process id first, by the same pipe, so that it can be ended
 * when the command has, with a signal of which no shell tells: it may still be waiting for input then.
 */
const MARKED_FRAMED = `marker=$1; shift
{
  /bin/sh -c 'echo $PPID'
  ${DECODE_STDIN}
} | {
  IFS= read -r decoder
  (export BERTH_EXEC="$marker"; exec "$@")
  code=$?
  kill -PIPE "$decoder" 2>/dev/null
  exit "$code"
}`;

/** One more process in a running container, as the container's user and in its working folder. */
export async function execIn(client: ClusterClient, target: ExecTarget, request: ExecRequest, log: Log): Promise<Terminal> {
  const marker = randomUUID();
  const tty = request.tty !== null;
  const stdin: StdinForm = tty || !target.shell || (await client.closesChannels()) ? 'raw' : 'framed';
  const script = request.tty !== null ? markedTty(request.tty) : stdin === 'framed' ? MARKED_FRAMED : MARKED;
  const command = request.command.length === 0 ? LOGIN_SHELL : request.command;
  const wrapped = target.shell ? ['/bin/sh', '-c', script, 'sh', marker, ...command] : command;
  const terminal = terminalOf({
    socket: await refusalInWords(() => connectExec(client, target.pod, { command: wrapped, tty })),
    stdin,
    showsFailure: true,
    hangUp() {
      if (!target.shell) return;
      hangUp(client, target.pod, marker).catch((error: unknown) =>
        log('warn', 'an abandoned exec process may go on', { pod: target.pod, error: String(error) }),
      );
    },
  });
  if (request.tty !== null) await terminal.resize(request.tty);
  return terminal;
}

export function connectExec(
  client: ClusterClient,
  pod: string,
  request: { command: readonly string[]; tty: boolean },
): Promise<StreamSocket> {
  const path = client.podPath(pod, 'exec', [
    ['container', MAIN],
    ...request.command.map((word) => ['command', word] as [string, string]),
    ['stdin', 'true'],
    ['stdout', 'true'],
    ['stderr', String(!request.tty)],
    ['tty', String(request.tty)],
  ]);
  return client.connect('cluster.pod-exec', path, [CLOSING_PROTOCOL, PLAIN_PROTOCOL]);
}

/** Again while there is none: a client may go before its process has come. */
const HANG_UP = `marker=$1
is_marked() { grep -q "BERTH_EXEC=$marker" "/proc/$1/environ" 2>/dev/null; }
for attempt in 1 2 3; do
  for folder in /proc/[0-9]*; do
    is_marked "\${folder#/proc/}" || continue
    while read -r key value; do [ "$key" = PPid: ] && parent=$value; done <"$folder/status"
    is_marked "$parent" || kill -HUP "\${folder#/proc/}" && found=yes
  done
  [ -z "$found" ] || exit 0
  sleep 1
done`;

/**
 * What a terminal does when its user walks away: a hang-up for the process that carries the marker, and whose parent does
 * not. The cluster itself would let it run for ever.
 */
async function hangUp(client: ClusterClient, pod: string, marker: string): Promise<void> {
  const socket = await connectExec(client, pod, { command: ['/bin/sh', '-c', HANG_UP, 'sh', marker], tty: false });
  await terminalOf({ socket, stdin: 'none', showsFailure: false }).exited;
}

export async function refusalInWords<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof ClusterRefusal) || error.kind === 'unreachable' || error.status === 401 || error.status === 403) throw error;
    const gone = error.status === 404;
    throw new RuntimeError(
      gone ? 'fatal' : 'retry',
      {
        code: gone ? 'container-lost' : 'rejected',
        message: gone
          ? 'the session has no container in which a command could run'
          : `a command cannot be run in the session now: ${error.said}`,
        remedy: gone ? 'Start the session again.' : 'Wait until it is running, or resume it.',
      },
      { cause: error },
    );
  }
}
