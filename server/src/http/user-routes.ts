import { ProblemError, type User as Shown } from '@berth/contract';
import type { User } from '../domain/users/user-store.ts';
import { audit, type Caller } from './caller.ts';
import type { HttpParts } from './parts.ts';
import type { Handlers } from './route.ts';

type UserHandlers = Pick<Handlers, 'getMe' | 'getCallbackKey' | 'createUser' | 'listUsers' | 'changeUser'>;

export function userHandlers({ users, callbackKeyOf, newId }: HttpParts): UserHandlers {
  return {
    getMe: async (_, caller) => presentUser(caller.user),
    getCallbackKey: async (_, caller) => {
      audit(caller, 'callback-key.show', caller.user);
      return { key: callbackKeyOf(caller.user.id) };
    },
    createUser: async ({ body }, caller) => {
      requireAdmin(caller);
      const user = await users.create({ id: newId(), name: body.name, role: body.role });
      audit(caller, 'user.create', user);
      return presentUser(user);
    },
    listUsers: async ({ query }, caller) => {
      requireAdmin(caller);
      const page = await users.list({ limit: query.limit, cursor: query.cursor ?? null });
      return { items: page.items.map(presentUser), next: page.next };
    },
    changeUser: async ({ params, body }, caller) => {
      requireAdmin(caller);
      const found = await users.find(params.user);
      if (found?.id === caller.user.id && body.disabled)
        throw new ProblemError('forbidden', 'you cannot disable yourself: ask another administrator');
      const user = found === undefined ? undefined : await users.setDisabled(found.id, body.disabled);
      if (user === undefined) throw new ProblemError('not-found', `there is no user "${params.user}"`, { field: 'user' });
      audit(caller, body.disabled ? 'user.disable' : 'user.enable', user);
      return presentUser(user);
    },
  };
}

export function requireAdmin({ user }: Caller): void {
  if (user.role !== 'admin') throw new ProblemError('forbidden', `"${user.name}" is no administrator: ask one`);
}

/** The caller, or whom an administrator names, by name or id. */
export async function userMeant({ users }: HttpParts, text: string | undefined, caller: Caller): Promise<User> {
  if (text === undefined || text === caller.user.name || text === caller.user.id) return caller.user;
  requireAdmin(caller);
  const user = await users.find(text);
  if (user === undefined) throw new ProblemError('not-found', `there is no user "${text}"`, { field: 'user' });
  return user;
}

/** Whose things are to be listed; null: everybody's. */
export async function listedUser(parts: HttpParts, text: string | undefined, caller: Caller): Promise<string | null> {
  if (text !== '*') return (await userMeant(parts, text, caller)).id;
  requireAdmin(caller);
  return null;
}

const presentUser = (user: User): Shown => ({
  id: user.id,
  name: user.name,
  role: user.role,
  domain: user.domain,
  disabled: user.disabled,
  createdAt: user.createdAt.toISOString(),
});
