import { ProblemError, SESSION_STATES, type CreateSession } from '@berth/contract';
import { createHash } from 'node:crypto';
import { draftSession } from '../domain/sessions/draft.ts';
import type { SessionState, Session } from '../domain/sessions/session.ts';
import { named, wantPaused, wantRestart, wantRunning, wantTerminated } from '../domain/sessions/wishes.ts';
import { audit, type Caller } from './caller.ts';
import { commitSession } from './commit-session.ts';
import { findDependencies } from './find-dependencies.ts';
import { findMounts } from './find-mounts.ts';
import { knownImage } from './known-image.ts';
import { findProject } from './find-project.ts';
import type { HttpParts } from './parts.ts';
import { readStatistics } from './read-statistics.ts';
import { Answer, type Handlers } from './route.ts';
import { findSession, present, type Access } from './session-access.ts';

type SessionHandlers = Pick<
  Handlers,
  | 'createSession'
  | 'listSessions'
  | 'getSession'
  | 'terminateSession'
  | 'restartSession'
  | 'pauseSession'
  | 'resumeSession'
  | 'renameSession'
  | 'getSessionStatistics'
  | 'commitSession'
>;
interface Wish {
  readonly change: (session: Session) => Session;
  readonly action: string;
  readonly message: string;
  readonly access: Access;
}

export function sessionHandlers(parts: HttpParts): SessionHandlers {
  const { sessions } = parts;
  const asking = (wish: Wish) => async (request: { params: { session: string } }, caller: Caller) => {
    const found = await findSession(sessions, caller, { text: request.params.session, access: wish.access });
    const session = await sessions.request(found.id, wish.change, `${wish.message} by ${caller.user.name}`);
    audit(caller, wish.action, session);
    parts.wake(session.id);
    return present(session, caller);
  };
  return {
    createSession: ({ body }, caller) => create(parts, body, caller),
    listSessions: ({ query }, caller) => list(parts, query, caller),
    getSession: async ({ params }, caller) => {
      const session = await findSession(sessions, caller, { text: params.session, access: 'metadata' });
      if (session.ownerId !== caller.user.id) audit(caller, 'session.look', session);
      return present(session, caller);
    },
    terminateSession: asking({ change: wantTerminated, action: 'session.terminate', message: 'stop requested', access: 'metadata' }),
    restartSession: asking({ change: wantRestart, action: 'session.restart', message: 'restart requested', access: 'content' }),
    pauseSession: asking({ change: wantPaused, action: 'session.pause', message: 'pause requested', access: 'content' }),
    resumeSession: asking({ change: wantRunning, action: 'session.resume', message: 'resume requested', access: 'content' }),
    renameSession: ({ params, body: { name } }, caller) =>
      asking({ change: named(name), action: 'session.rename', message: `renamed to ${name}`, access: 'content' })({ params }, caller),
    getSessionStatistics: async ({ params }, caller) => {
      const session = await findSession(sessions, caller, { text: params.session, access: 'metadata' });
      if (session.ownerId !== caller.user.id) audit(caller, 'session.look', session);
      return readStatistics(parts.statistics, session);
    },
    commitSession: async ({ params, body: { image } }, caller) => {
      const session = await findSession(sessions, caller, { text: params.session, access: 'content' });
      return present(await commitSession(parts, { session, image }, caller), caller);
    },
  };
}

async function create(parts: HttpParts, body: CreateSession, caller: Caller) {
  const project = await findProject(parts, caller.user.id, body.project ?? null);
  const { clientToken: _, ...asked } = body;
  const draft = draftSession(body, {
    id: parts.newId(),
    owner: caller.user,
    project,
    defaultImage: parts.defaultImage,
    capacities: parts.nodes.capacities(),
    orchestrates: parts.runtime.orchestrates,
    outgoing: parts.outgoing,
    now: parts.now(),
    dependencies: await findDependencies(parts.sessions, caller.user.id, body.dependencies),
    mounts: await findMounts(parts.storages, caller.user.id, body.mounts),
    image: await knownImage(parts.runtime, { image: body.image ?? parts.defaultImage, node: body.node, pull: body.pull }),
    requestHash: createHash('sha256').update(JSON.stringify(asked)).digest('hex'),
  });
  const { session, created } = await parts.sessions.create(draft);
  if (created) audit(caller, 'session.create', session);
  parts.wake(session.id);
  return new Answer(created ? 201 : 200, present(session, caller));
}

interface ListQuery {
  all: boolean;
  state?: string | undefined;
  owner?: string | undefined;
  project?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

async function list(parts: HttpParts, query: ListQuery, caller: Caller) {
  const ownerId = await ownerOf(parts, query.owner, caller);
  const project = query.project === undefined ? undefined : await findProject(parts, ownerId ?? caller.user.id, query.project);
  if (ownerId !== caller.user.id) audit(caller, 'session.list', { id: query.owner ?? '*' });
  const page = await parts.sessions.list({
    ownerId,
    projectId: project?.id ?? null,
    states: statesOf(query.state),
    all: query.all,
    limit: query.limit,
    cursor: query.cursor ?? null,
  });
  return { items: page.items.map((session) => present(session, caller)), next: page.next };
}

/** null: everybody's. */
async function ownerOf(parts: HttpParts, text: string | undefined, { user }: Caller): Promise<string | null> {
  if (text === undefined || text === user.name || text === user.id) return user.id;
  if (user.role !== 'admin')
    throw new ProblemError('forbidden', `you asked for sessions of "${text}": only administrators see others' sessions`, {
      field: 'owner',
    });
  if (text === '*') return null;
  const owner = await parts.users.find(text);
  if (owner === undefined) throw new ProblemError('not-found', `there is no user "${text}"`, { field: 'owner' });
  return owner.id;
}

function statesOf(text: string | undefined): readonly SessionState[] | null {
  if (text === undefined) return null;
  return text.split(',').map((word) => {
    const state = SESSION_STATES.find((known) => known === word.trim());
    if (state !== undefined) return state;
    throw new ProblemError('invalid-field', `"${word}" is no state of a session; there are ${SESSION_STATES.join(', ')}`, {
      field: 'state',
    });
  });
}
