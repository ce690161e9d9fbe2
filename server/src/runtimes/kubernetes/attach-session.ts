import type { Terminal } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { refusalInWords } from './exec-session.ts';
import { MAIN } from './names.ts';
import { CLOSING_PROTOCOL, PLAIN_PROTOCOL } from './stream-socket.ts';
import { terminalOf, type StdinForm } from './stream-terminal.ts';

export interface Attachment {
  readonly pod: string;
  readonly tty: boolean;
  readonly stdin: StdinForm;
}

/** The main process's own streams, from now on: who wants the first byte attaches before the gate is opened. */
export async function attachTo(client: ClusterClient, { pod, tty, stdin }: Attachment): Promise<Terminal> {
  const path = client.podPath(pod, 'attach', [
    ['container', MAIN],
    ['stdin', String(stdin !== 'none')],
    ['stdout', 'true'],
    ['stderr', String(!tty)],
    ['tty', String(tty)],
  ]);
  const socket = await refusalInWords(() => client.connect('cluster.pod-attach', path, [CLOSING_PROTOCOL, PLAIN_PROTOCOL]));
  const { exited, ...terminal } = terminalOf({ socket, stdin, showsFailure: false });
  return { ...terminal, exited: exited.then(() => undefined) };
}
