import type { Call, Route, Sent, Surface } from './call.ts';
import { findSession, refuseStrangers } from './find-session.ts';
import { pickService } from './pick-service.ts';
import { Refusal } from './refusal.ts';
import { servicePorts } from './session-page.ts';
import type { SignedCaller } from './signature-check.ts';

/** The services of a session, and what there is in place of a proxy to them. */
export function serviceRoutes(surface: Surface): readonly Route[] {
  return [
    { method: 'GET', path: '/stream/session/:id/apps', handle: (call, caller) => list(surface, call, caller) },
    { method: 'POST', path: '/session/:id/start-service', handle: (call, caller) => start(surface, call, caller) },
    { method: 'POST', path: '/session/:id/shutdown-service', handle: (call, caller) => stop(surface, call, caller) },
  ];
}

async function list(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const found = await findSession(surface, { call, caller }, { dead: false });
  refuseStrangers(found, caller);
  return { status: 200, body: servicePorts(found.session) };
}

async function start(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const found = await findSession(surface, { call, caller }, { dead: false });
  refuseStrangers(found, caller);
  const { service } = pickService(found.session, call.parameters);
  throw new Refusal(
    'service-unavailable',
    `this server has no proxy to "${service.name}" for browsers: connect through /stream/session/${found.session.id}/tcpproxy?app=${service.name}`,
  );
}

async function stop(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const found = await findSession(surface, { call, caller }, { dead: false });
  refuseStrangers(found, caller);
  const { service } = pickService(found.session, call.parameters);
  throw new Refusal('not-implemented', `"${service.name}" runs with its session and cannot be shut down alone: destroy the session`);
}
