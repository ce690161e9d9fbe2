import type { Route } from './call.ts';
import type { SignedCaller } from './signature-check.ts';
import { SLOT_TYPES } from './resource-slots.ts';
import { ADVERTISED } from './versions.ts';

/** What anybody may ask, and who a signature makes her. */
export const openRoutes: readonly Route[] = [
  { method: 'GET', path: '/', open: true, handle: async () => ({ status: 200, body: ADVERTISED }) },
  { method: 'GET', path: '/config/resource-slots', open: true, handle: async () => ({ status: 200, body: SLOT_TYPES }) },
  { method: 'GET', path: '/etcd/resource-slots', open: true, handle: async () => ({ status: 200, body: SLOT_TYPES }) },
  ...(['GET', 'POST'] as const).flatMap((method): Route[] =>
    ['/auth', '/auth/test'].map((path) => ({
      method,
      path,
      handle: async ({ parameters: { echo } }) => ({ status: 200, body: { authorized: 'yes', ...(typeof echo === 'string' && { echo }) } }),
    })),
  ),
  { method: 'GET', path: '/auth/role', handle: async (_, caller) => ({ status: 200, body: rolesOf(caller) }) },
];

/** Berth's administrators are of the whole installation; in groups everybody is a user. */
const rolesOf = ({ user }: SignedCaller): object => ({
  global_role: user.role === 'admin' ? 'superadmin' : 'user',
  domain_role: user.role === 'admin' ? 'admin' : 'user',
  group_role: 'user',
});
