import type { Session } from '../../domain/sessions/session.ts';
import type { Call, Route, Sent, Surface } from './call.ts';
import { auditLook, findSession } from './find-session.ts';
import { statusOf, statusOfState } from './session-status.ts';
import type { SignedCaller } from './signature-check.ts';

/** How many sessions a graph shows: one that several follow stands below each of them. */
const NODES = 500;

export function historyRoutes(surface: Surface): readonly Route[] {
  return [
    { method: 'GET', path: '/session/:id/status-history', handle: (call, caller) => history(surface, call, caller) },
    { method: 'GET', path: '/session/:id/dependency-graph', handle: (call, caller) => graph(surface, call, caller) },
  ];
}

/** Each status it was ever in, and when it came to it last. */
async function history(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const found = await findSession(surface, { call, caller }, { dead: true });
  auditLook(found, caller);
  const states = await surface.parts.sessions.history(found.session.id);
  return { status: 200, body: Object.fromEntries(states.map(({ state, at }) => [statusOfState(state), at.toISOString()])) };
}

interface Node {
  readonly session_id: string;
  readonly session_name: string;
  readonly status: string;
  readonly status_changed: string;
  readonly depends_on: readonly Node[];
}

async function graph(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const found = await findSession(surface, { call, caller }, { dead: true });
  auditLook(found, caller);
  const followed = await surface.parts.sessions.ancestors(found.session.id, NODES);
  const byId = new Map(followed.map((session) => [session.id, session]));
  let left = NODES;
  // Sessions follow older ones only: there is no circle.
  const nodeOf = (session: Session): Node => ({
    session_id: session.id,
    session_name: session.name,
    status: statusOf(session),
    status_changed: session.stateSince.toISOString(),
    depends_on: session.dependencies.flatMap(({ id }) => {
      const next = byId.get(id);
      if (next === undefined || left === 0) return [];
      left -= 1;
      return [nodeOf(next)];
    }),
  });
  return { status: 200, body: nodeOf(found.session) };
}
