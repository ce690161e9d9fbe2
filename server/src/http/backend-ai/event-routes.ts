import { Readable } from 'node:stream';
import { z } from 'zod';
import { resultOf } from '../../domain/sessions/result.ts';
import type { StoredEvent } from '../../domain/sessions/session-store.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { audit } from '../caller.ts';
import { check } from '../check.ts';
import { FROM_NOW } from '../event-feed.ts';
import { withHeartbeat } from '../sse.ts';
import type { Call, Route, Sent, Surface } from './call.ts';
import { eventNames } from './event-names.ts';
import { findGroup } from './find-group.ts';
import { ownerOf } from './find-session.ts';
import { newestAccessKey } from './newest-access-key.ts';
import { kernelsOf, type Kernel } from './kernels.ts';
import { canonical, type Parameters } from './parameters.ts';
import { Refusal } from './refusal.ts';
import { statusInfo } from './session-status.ts';
import type { SignedCaller } from './signature-check.ts';

const ALIASES = { sessionName: ['name', 'session_name'], sessionId: ['session_id'], group: ['groupName', 'group_name'] };
const Wanted = z.object({
  sessionId: z.guid().optional(),
  sessionName: z.string().max(64).default('*'),
  group: z.string().max(128).default('*'),
  scope: z.enum(['*', 'session', 'kernel']).default('*'),
});
type Wanted = z.output<typeof Wanted>;

interface Told {
  readonly name: string;
  readonly data: object;
}

export function eventRoutes(surface: Surface): readonly Route[] {
  return ['/events/session', '/stream/session/_/events'].map((path) => ({
    method: 'GET',
    path,
    handle: (call, caller) => follow(surface, call, caller),
  }));
}

async function follow(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const wanted = check(Wanted, canonical(call.parameters, ALIASES));
  const { ownerId, accessKey } = await whose(surface, call.parameters, caller);
  const projectId = wanted.group === '*' ? null : await groupId(surface, wanted.group, ownerId ?? caller.user.id);
  const scope = { ownerId, sessionId: wanted.sessionId?.toLowerCase() ?? null };
  const events = surface.feed.follow(scope, FROM_NOW, call.open());
  const told = tell(surface, events, { wanted, projectId, accessKey });
  const text = withHeartbeat(told, ({ name, data }) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  return { status: 200, stream: Readable.from(begun(text), { objectMode: false }) };
}

/** Clients wait for the first byte before they believe that they listen. */
export async function* begun(text: AsyncGenerator<string>): AsyncGenerator<string> {
  yield ': listening\n\n';
  yield* text;
}

/** Her own, or another's for an administrator who names a key pair of hers; "*" is everybody's. */
async function whose(
  surface: Surface,
  parameters: Parameters,
  caller: SignedCaller,
): Promise<{ ownerId: string | null; accessKey: string | undefined }> {
  const { ownerAccessKey } = canonical(parameters, { ownerAccessKey: ['owner_access_key'] });
  if (ownerAccessKey === '*' && caller.user.role === 'admin') {
    audit(caller, 'session.watch', { id: '*' });
    return { ownerId: null, accessKey: undefined };
  }
  const own = ownerAccessKey === undefined || ownerAccessKey === '*';
  const owner = own ? caller.user : await ownerOf(surface, parameters, caller);
  if (owner.id !== caller.user.id) audit(caller, 'session.watch', { id: owner.id });
  return { ownerId: owner.id, accessKey: own ? caller.accessKey : String(ownerAccessKey) };
}

async function groupId({ parts }: Surface, group: string, userId: string): Promise<string> {
  const project = await findGroup(parts, group, userId);
  if (project !== undefined) return project.id;
  throw new Refusal('object-not-found', `there is no group "${group}" that you are a member of`, { title: 'No such user group.' });
}

interface Filter {
  readonly wanted: Wanted;
  readonly projectId: string | null;
  /** undefined: each session's owner has her own. */
  readonly accessKey: string | undefined;
}

async function* tell(surface: Surface, events: AsyncGenerator<StoredEvent>, filter: Filter): AsyncGenerator<Told> {
  const { wanted, projectId, accessKey } = filter;
  for await (const event of events) {
    const session = await surface.parts.sessions.get(event.sessionId);
    if (session === undefined || (projectId !== null && session.projectId !== projectId)) continue;
    // An id overrides the rest.
    if (wanted.sessionId === undefined && wanted.sessionName !== '*' && wanted.sessionName !== session.name) continue;
    const names = eventNames(event, session).filter((name) => wanted.scope === '*' || name.startsWith(`${wanted.scope}_`));
    if (names.length === 0) continue;
    const data = dataOf(session, accessKey ?? (await newestAccessKey(surface, session.ownerId)));
    for (const name of names) {
      if (!name.startsWith('kernel_')) yield { name, data };
      else for (const kernel of kernelsOf(session)) yield { name, data: { ...data, ...containerOf(kernel) } };
    }
  }
}

const dataOf = (session: Session, ownerAccessKey: string): object => ({
  reason: statusInfo(session),
  sessionName: session.name,
  ownerAccessKey,
  sessionId: session.id,
  exitCode: session.ending?.exitCode ?? null,
  result: resultOf(session)?.toUpperCase() ?? 'UNDEFINED',
});

const containerOf = ({ id, role, index }: Kernel): object => ({ kernelId: id, clusterRole: role, clusterIdx: index });
