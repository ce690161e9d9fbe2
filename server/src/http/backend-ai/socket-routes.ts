import { containerOf } from '../../domain/sessions/container-plan.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { Attachment } from '../attach.ts';
import { audit } from '../caller.ts';
import { runExec } from '../exec.ts';
import type { CutReason } from '../live-connections.ts';
import { sessionEnd } from '../session-end.ts';
import { dial, tunnel } from '../tcp-tunnel.ts';
import type { Talk } from '../web-sockets.ts';
import type { Call, SocketRoute, Surface } from './call.ts';
import { ExecuteSocket } from './execute-socket.ts';
import { findSession, refuseStrangers } from './find-session.ts';
import { pickService, refuseUnlessRunning } from './pick-service.ts';
import { PtySocket } from './pty-socket.ts';
import { asRefusal, Refusal } from './refusal.ts';
import { restart } from './session-requests.ts';
import type { SignedCaller } from './signature-check.ts';

const USUAL_SIZE = { rows: 24, cols: 80 };

/** The WebSockets of a session: a terminal in it, code that is run, and its services. */
export function socketRoutes(surface: Surface): readonly SocketRoute[] {
  const own = (prepare: (surface: Surface, call: Call, own: Own) => Promise<Talk>): SocketRoute['prepare'] => {
    return async (call, caller) => {
      const found = await findSession(surface, { call, caller }, { dead: false });
      refuseStrangers(found, caller);
      return prepare(surface, call, { session: found.session, caller });
    };
  };
  return [
    { path: '/stream/session/:id/pty', prepare: own(terminal) },
    { path: '/stream/session/:id/tcpproxy', prepare: own(proxy) },
    { path: '/stream/session/:id/httpproxy', prepare: own(proxy) },
    { path: '/stream/session/:id/execute', prepare: own(execute), farewell },
  ];
}

interface Own {
  readonly session: Session;
  readonly caller: SignedCaller;
}

/** The terminal of its main process where that has one, else a login shell beside it. */
async function terminal(surface: Surface, _call: Call, { session, caller }: Own): Promise<Talk> {
  const { parts, owners } = surface;
  const { tty, stdin } = session.spec;
  const shared = tty && stdin === 'open';
  if (!shared) refuseUnlessRunning(session);
  audit(caller, shared ? 'session.attach' : 'session.exec', session);
  return async (open) => {
    const socket = new PtySocket(
      open,
      oneAtATime(() => askRestart(surface, { session, caller })),
    );
    if (!shared) return runExec(parts.runtime, socket, { session, exec: { command: [], tty: USUAL_SIZE } });
    const attached = new Attachment({ ...parts, owners, log: caller.log }, { session, socket, size: undefined, replay: true, stdin: true });
    return attached.run();
  };
}

/** Nothing while it goes on. `ask` never fails. */
function oneAtATime(ask: () => Promise<void>): () => void {
  let asking = false;
  return () => {
    if (asking) return;
    asking = true;
    void ask().finally(() => (asking = false));
  };
}

async function askRestart({ parts }: Surface, { session, caller }: Own): Promise<void> {
  try {
    const asked = await parts.sessions.request(session.id, restart, `restart requested by ${caller.user.name}`);
    audit(caller, 'session.restart', asked);
    parts.wake(asked.id);
  } catch (err) {
    // At the wrong moment it is refused; the terminal shows what becomes of the session.
    const level = asRefusal(err).status === 500 ? 'error' : 'debug';
    caller.log[level]({ err, session: session.id }, 'a restart asked for in a terminal was refused');
  }
}

async function execute({ parts }: Surface, _call: Call, { session, caller }: Own): Promise<Talk> {
  refuseUnlessRunning(session);
  audit(caller, 'session.execute', session);
  return (socket) => new ExecuteSocket(parts, session, socket).run();
}

const farewell = (reason: CutReason): object =>
  reason.kind === 'stopping'
    ? { status: 'server-restarting', msg: 'the server is stopping: connect again, and run it again' }
    : { status: 'error', msg: reason.problem.message };

async function proxy({ parts }: Surface, call: Call, { session, caller }: Own): Promise<Talk> {
  const { service, port } = pickService(session, call.parameters);
  const endpoint = await parts.runtime.endpoint(containerOf(session), port);
  const tcp = endpoint === undefined ? undefined : await dial(endpoint, call.open());
  if (tcp === undefined)
    throw new Refusal(
      'service-unavailable',
      `nothing answers at port ${port} of "${session.name}" yet: try again when "${service.name}" listens`,
    );
  audit(caller, 'session.connect', session);
  return async (socket) => {
    const over = (): void => socket.close(1000, 'the session has ended');
    sessionEnd(parts, session.id, socket.gone).then(over, (err: unknown) => {
      if (!socket.gone.aborted) caller.log.warn({ err, session: session.id }, 'the session of a connection could not be looked at');
    });
    await tunnel(tcp, socket);
  };
}
