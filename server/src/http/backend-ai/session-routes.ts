import { z } from 'zod';
import { named } from '../../domain/sessions/wishes.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { audit } from '../caller.ts';
import { check } from '../check.ts';
import { withLiveStatistics } from '../read-statistics.ts';
import { readLog } from '../session-log.ts';
import type { Call, Route, Sent, Surface } from './call.ts';
import { flatStats } from './container-stats.ts';
import { SessionToken } from './create-parameters.ts';
import { createSession } from './create-session.ts';
import { auditLook, candidates, findSession, ownerOf, refuseStrangers, type Found } from './find-session.ts';
import { kernelsOf } from './kernels.ts';
import { canonical, Flag } from './parameters.ts';
import { matchOf, meantBy } from './pick-session.ts';
import { Refusal } from './refusal.ts';
import { informationPage } from './session-page.ts';
import { destroy, restart } from './session-requests.ts';
import { isUp, statusOf } from './session-status.ts';
import type { SignedCaller } from './signature-check.ts';

/** What is answered of a log: its end. */
const LOG_BYTES = 1024 * 1024;

export function sessionRoutes(surface: Surface): readonly Route[] {
  type Handle = (surface: Surface, call: Call, caller: SignedCaller) => Promise<Sent>;
  const route = (method: Route['method'], path: string, handle: Handle): Route => ({
    method,
    path,
    handle: (call, caller) => handle(surface, call, caller),
  });
  return [
    route('POST', '/session', createSession),
    route('POST', '/session/create', createSession),
    route('POST', '/session/_/create', createSession),
    route('GET', '/session/_/match', match),
    route('GET', '/session/:id', information),
    route('PATCH', '/session/:id', askRestart),
    route('DELETE', '/session/:id', askEnd),
    route('GET', '/session/:id/logs', logs),
    route('POST', '/session/:id/rename', rename),
  ];
}

async function match(surface: Surface, { parameters }: Call, caller: SignedCaller): Promise<Sent> {
  const { id: text } = check(z.object({ id: z.string().max(256).default('') }), parameters);
  const owner = await ownerOf(surface, parameters, caller);
  const found = await candidates(surface, owner, { text, dead: true });
  return { status: 200, body: { matches: meantBy(text, found).map(matchOf) } };
}

async function information(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const found = await findSession(surface, { call, caller }, { dead: false });
  auditLook(found, caller);
  const own = found.owner.id === caller.user.id;
  const { parts } = surface;
  parts.uses.count(found.session.id);
  const session = await withLiveStatistics(parts.statistics, parts.uses.counted(found.session));
  return { status: 200, body: informationPage(session, { owner: found.owner, own, now: parts.now() }) };
}

async function askRestart(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const found = await findSession(surface, { call, caller }, { dead: false });
  refuseStrangers(found, caller);
  await request(surface, { found, change: restart, action: 'restart' }, caller);
  return { status: 204 };
}

async function askEnd(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { forced } = check(z.object({ forced: Flag.default(false) }), call.parameters);
  const found = await findSession(surface, { call, caller }, { dead: false });
  const { statistics } = await withLiveStatistics(surface.parts.statistics, found.session);
  const ended = await request(surface, { found, change: (session) => destroy(session, forced), action: 'terminate' }, caller);
  return { status: 200, body: { stats: { ...flatStats(statistics), status: ended.state === 'pending' ? 'cancelled' : 'terminated' } } };
}

async function rename(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { name } = check(z.object({ name: SessionToken }), canonical(call.parameters, { name: ['clientSessionToken', 'session_name'] }));
  const found = await findSession(surface, { call, caller }, { dead: false });
  refuseStrangers(found, caller);
  const change = (session: Session): Session => {
    if (isUp(session)) return named(name)(session);
    throw new Refusal('invalid-api-params', `${session.name} is ${statusOf(session)}: only a running session can be renamed`);
  };
  await request(surface, { found, change, action: 'rename' }, caller);
  return { status: 204 };
}

async function logs(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const found = await findSession(surface, { call, caller }, { dead: true });
  refuseStrangers(found, caller);
  const of = { session: found.session, container: containerMeant(call, found) };
  surface.parts.uses.count(found.session.id);
  audit(caller, 'session.logs', found.session);
  const chunks = await readLog(surface.parts, of, call.open());
  const printed = Buffer.concat(chunks.map(({ data }) => data)).subarray(-LOG_BYTES);
  return { status: 200, body: { result: { logs: printed.toString('utf8') } } };
}

/** Main1, unless another is named by its id. */
function containerMeant({ parameters }: Call, { session }: Found): string {
  const { kernelId = session.id } = canonical(parameters, { kernelId: ['kernel_id'] });
  const kernels = kernelsOf(session);
  const found = kernels.find(({ id }) => id === String(kernelId).toLowerCase());
  if (found !== undefined) return found.host;
  const there = kernels.map(({ id, host }) => `${id} (${host})`).join(', ');
  throw new Refusal('object-not-found', `${session.name} has no container of that id: it has ${there}`, { title: 'No such kernel.' });
}

interface Request {
  readonly found: Found;
  readonly change: (session: Session) => Session;
  readonly action: 'restart' | 'terminate' | 'rename';
}

async function request({ parts }: Surface, { found, change, action }: Request, caller: SignedCaller): Promise<Session> {
  const session = await parts.sessions.request(found.session.id, change, `${action} requested by ${caller.user.name}`);
  audit(caller, `session.${action}`, session);
  parts.wake(session.id);
  return session;
}
