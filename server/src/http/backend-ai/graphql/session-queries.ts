import { z } from 'zod';
import type { SessionSelection } from '../../../domain/sessions/session-store.ts';
import type { Session } from '../../../domain/sessions/session.ts';
import { audit } from '../../caller.ts';
import { check } from '../../check.ts';
import { ownerOf } from '../find-session.ts';
import { Refusal } from '../refusal.ts';
import { kindsOf } from '../status-kinds.ts';
import { offsetIn, withoutFilter } from './paging.ts';
import type { QueryContext } from './query-context.ts';
import { sessionItem } from './session-item.ts';

const Text = z.string().max(512).nullish();
const One = z.object({ id: z.guid('it must be the id of a session') });
const Many = z.object({
  order: Text,
  domain_name: Text,
  group_id: z.guid('it must be the id of a group').nullish(),
  access_key: Text,
  status: Text,
});

export const sessionQueries = (context: QueryContext): object => ({
  compute_session: async (args: unknown) => {
    const { id } = check(One, args);
    const session = await context.surface.parts.sessions.get(id.toLowerCase());
    const { user } = context.caller;
    // Somebody else's is as little there as none.
    if (session === undefined || (session.ownerId !== user.id && user.role !== 'admin')) return null;
    if (session.ownerId !== user.id) audit(context.caller, 'session.look', session);
    return itemOf(context, session);
  },
  compute_session_list: async (args: unknown) => {
    const part = { ...offsetIn(args), oldestFirst: oldestFirst(args) };
    const selection = await selectionOf(context, args);
    const { sessions } = context.surface.parts;
    if (selection !== null && selection.ownerId !== context.caller.user.id)
      audit(context.caller, 'session.list', { id: selection.ownerId ?? '*' });
    return {
      items: async () =>
        selection === null ? [] : Promise.all((await sessions.window(selection, part)).map((session) => itemOf(context, session))),
      total_count: () => (selection === null ? 0 : sessions.count(selection)),
    };
  },
});

async function itemOf({ surface, people }: QueryContext, session: Session): Promise<object> {
  return sessionItem(surface.parts.uses.counted(session), { owner: await people.get(session.ownerId), now: surface.parts.now() });
}

/** Her own; for an administrator who names no key pair, everybody's. null: there can be none. */
async function selectionOf({ surface, caller }: QueryContext, args: unknown): Promise<SessionSelection | null> {
  withoutFilter(args);
  const { domain_name: domain, group_id: group, access_key: accessKey, status } = check(Many, args);
  const kinds = kindsOf(status ?? undefined);
  const all = !accessKey && caller.user.role === 'admin';
  const owner = accessKey ? await ownerOf(surface, { owner_access_key: accessKey }, caller) : caller.user;
  if (domain && domain !== owner.domain) return null;
  return { ownerId: all ? null : owner.id, projectId: group?.toLowerCase() ?? null, kinds };
}

function oldestFirst(args: unknown): boolean {
  const order = (check(Many, args).order ?? '-created_at').trim();
  const [, sign, field] = /^([+-]?)(\w+)$/.exec(order) ?? [];
  // Ids grow with time.
  if (field === 'created_at' || field === 'id') return sign !== '-';
  throw new Refusal('invalid-api-params', `order "${order}": sessions are in the order of created_at, or of -created_at`);
}
