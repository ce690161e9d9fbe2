import { MAX_CLUSTER_SIZE } from '@berth/contract';
import { z } from 'zod';
import { HOLDS_CPU } from '../../../domain/sessions/lifecycle.ts';
import type { Keypair } from '../../../domain/users/keypair-store.ts';
import type { User } from '../../../domain/users/user-store.ts';
import { audit } from '../../caller.ts';
import { check } from '../../check.ts';
import { HOST } from '../folder-page.ts';
import { REQUESTS_PER_WINDOW } from '../rate-limit.ts';
import { everything, pageOf, withoutFilter } from './paging.ts';
import { requireAdmin, type QueryContext } from './query-context.ts';

const Text = z.string().max(256).nullish();
const Who = z.object({ access_key: Text, email: Text, user_id: Text, is_active: z.boolean().nullish(), status: Text });
type Who = z.output<typeof Who>;

/** Key pairs and users. Where they say an email address, it is the name here: Berth knows none. */
export function accountQueries(context: QueryContext): object {
  return {
    keypair: (args: unknown) => keypairMeant(context, check(Who, args)),
    keypairs: (args: unknown) => keypairs(context, args),
    keypair_list: async (args: unknown) => pageOf(await keypairs(context, args), args),
    keypair_resource_policy: (args: unknown) => policies(context).find(({ name }) => name === (check(Name, args).name ?? name)) ?? null,
    keypair_resource_policies: () => policies(context),
    user: (args: unknown) => user(context, check(Who, args).email),
    user_from_uuid: (args: unknown) => user(context, check(Who, args).user_id),
    users: (args: unknown) => users(context, args),
    user_list: async (args: unknown) => pageOf(await users(context, args), args),
  };
}

const Name = z.object({ name: Text });

async function keypairMeant(context: QueryContext, { access_key: asked }: Who): Promise<object | null> {
  const { surface, caller } = context;
  // To a user the argument means nothing, with real servers too: she is told of the key pair she asks with.
  const accessKey = caller.user.role === 'admin' && asked ? asked : caller.accessKey;
  const found = await surface.parts.keypairs.find(accessKey);
  if (found === undefined) return null;
  if (found.user.id !== caller.user.id) audit(caller, 'keypair.list', { id: found.user.id });
  return keypairItem(context, found.keypair, found.user);
}

async function keypairs(context: QueryContext, args: unknown): Promise<readonly object[]> {
  withoutFilter(args);
  const { email, is_active: active } = check(Who, args);
  const { surface, caller } = context;
  const everybody = !email && caller.user.role === 'admin';
  const owner = everybody ? null : await userMeant(context, email);
  if (owner === undefined) return [];
  if (owner?.id !== caller.user.id) audit(caller, 'keypair.list', { id: owner?.id ?? '*' });
  const all = await everything((page) => surface.parts.keypairs.list(owner?.id ?? null, page));
  const wanted = all.filter((one) => active === null || active === undefined || isActive(one) === active);
  return Promise.all(wanted.map(async (one) => keypairItem(context, one, (await context.people.get(one.userId)).user)));
}

const isActive = ({ revokedAt }: Keypair): boolean => revokedAt === null;

const keypairItem = ({ surface: { parts } }: QueryContext, keypair: Keypair, owner: User): object => ({
  access_key: keypair.accessKey,
  // It was shown once, when it was made.
  secret_key: null,
  is_active: isActive(keypair) && !owner.disabled,
  is_admin: owner.role === 'admin',
  user_id: owner.name,
  user: owner.id,
  full_name: owner.name,
  created_at: keypair.createdAt.toISOString(),
  last_used: keypair.lastUsedAt?.toISOString() ?? null,
  resource_policy: 'default',
  concurrency_limit: parts.sessionsPerUser ?? 0,
  concurrency_used: () => parts.sessions.count({ ownerId: owner.id, projectId: null, kinds: [{ states: HOLDS_CPU }] }),
  rate_limit: parts.signedRequestsPerWindow ?? REQUESTS_PER_WINDOW,
});

/** The one there is: what the installation allows everybody. */
const policies = ({ surface: { parts } }: QueryContext) => [
  {
    name: 'default',
    default_for_unspecified: 'UNLIMITED',
    total_resource_slots: '{}',
    max_concurrent_sessions: parts.sessionsPerUser ?? 0,
    max_containers_per_session: MAX_CLUSTER_SIZE,
    idle_timeout: 0,
    max_vfolder_count: 0,
    allowed_vfolder_hosts: [HOST],
  },
];

async function user(context: QueryContext, asked: string | null | undefined): Promise<object | null> {
  const found = await userMeant(context, context.caller.user.role === 'admin' ? asked : undefined);
  return found === undefined ? null : userItem(context, found);
}

async function users(context: QueryContext, args: unknown): Promise<readonly object[]> {
  requireAdmin(context, 'who there is');
  withoutFilter(args);
  const { is_active: active, status } = check(Who, args);
  const all = await everything((page) => context.surface.parts.users.list(page));
  return all
    .filter(({ disabled }) => active === null || active === undefined || active !== disabled)
    .map((one) => userItem(context, one))
    .filter((item) => !status || item.status === status.toLowerCase());
}

/** Whom an administrator names, or the caller; undefined: nobody she may know of. */
async function userMeant({ surface, caller }: QueryContext, text: string | null | undefined): Promise<User | undefined> {
  const own = caller.user;
  if (!text || text === own.name || text === own.id) return own;
  return own.role === 'admin' ? surface.parts.users.find(text) : undefined;
}

const userItem = ({ surface: { parts } }: QueryContext, { id, name, disabled, createdAt, domain, role }: User) => ({
  id,
  uuid: id,
  email: name,
  username: name,
  full_name: name,
  password: null,
  need_password_change: false,
  is_active: !disabled,
  status: disabled ? 'inactive' : 'active',
  created_at: createdAt.toISOString(),
  domain_name: domain,
  role: role === 'admin' ? 'superadmin' : 'user',
  groups: async () => {
    const own = await parts.users.project(id, null);
    return own === undefined ? [] : [own];
  },
});
