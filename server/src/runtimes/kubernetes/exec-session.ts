import { randomUUID } from 'node:crypto';
import { RuntimeError, type ExecRequest, type Terminal } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { ClusterRefusal } from './errors.ts';
import { LOGIN_SHELL } from './gate.ts';
import { CLOSING_PROTOCOL, PLAIN_PROTOCOL, type StreamSocket } from './stream-socket.ts';
import { terminalOf } from './stream-terminal.ts';

type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;

interface Execution {
  readonly pod: string;
  readonly command: readonly string[];
  readonly tty: boolean;
}

/** Marks a process, so that it can be found again; what it starts inherits that. */
const MARKED = 'export BERTH_EXEC="$0"; exec "$@"';
const MARKED_TTY = `export TERM=xterm-256color; ${MARKED}`;

/**
 * For a protocol that cannot tell the end of input, see stdin-framing.ts. The decoder tells its process id first, by the same
 * pipe, so that it can be ended when the command has: it may still be waiting for input then.
 */
const FRAMED = `export BERTH_EXEC="$0"
{ sh -c 'echo $PPID'
  while IFS= read -r line && [ "$line" != . ]; do printf '%s\\n' "$line" | base64 -d || break; done
} | { IFS= read -r decoder; "$@"; code=$?; kill "$decoder" 2>/dev/null; exit "$code"; }`;

/** One more process in a running container, as the container's user and in its working folder. */
export async function execIn(client: ClusterClient, pod: string, request: ExecRequest, log: Log): Promise<Terminal> {
  const marker = randomUUID();
  const command = request.command.length === 0 ? LOGIN_SHELL : request.command;
  const tty = request.tty !== null;
  const closing = tty ? undefined : await connectClosing(client, { pod, command: ['sh', '-c', MARKED, marker, ...command], tty });
  const socket =
    closing ?? (await connect(client, { pod, command: ['sh', '-c', tty ? MARKED_TTY : FRAMED, marker, ...command], tty }, [PLAIN_PROTOCOL]));
  const terminal = terminalOf({
    socket,
    stdin: tty || closing !== undefined ? 'raw' : 'framed',
    hangUp: () =>
      void hangUp(client, pod, marker).catch((error: unknown) =>
        log('warn', 'an abandoned exec process may go on', { pod, error: String(error) }),
      ),
  });
  if (request.tty !== null) await terminal.resize(request.tty);
  return terminal;
}
