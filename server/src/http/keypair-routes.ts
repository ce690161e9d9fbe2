import { randomBytes } from 'node:crypto';
import { ProblemError, type Keypair as Shown } from '@berth/contract';
import { KEYPAIR_BYTES, makeKeys } from '../domain/users/keypair.ts';
import type { Keypair } from '../domain/users/keypair-store.ts';
import { audit } from './caller.ts';
import type { HttpParts } from './parts.ts';
import type { Handlers } from './route.ts';
import { listedUser, userMeant } from './user-routes.ts';

export function keypairHandlers(parts: HttpParts): Pick<Handlers, 'createKeypair' | 'listKeypairs' | 'revokeKeypair'> {
  const { keypairs, newId, now } = parts;
  return {
    createKeypair: async ({ body }, caller) => {
      const owner = await userMeant(parts, body.user, caller);
      const keys = makeKeys(randomBytes(KEYPAIR_BYTES));
      const keypair = await keypairs.create({ id: newId(), userId: owner.id, name: body.name, ...keys });
      audit(caller, 'keypair.create', { id: keypair.id, ownerName: keypair.userName });
      return { ...presentKeypair(keypair), secretKey: keys.secretKey };
    },
    listKeypairs: async ({ query }, caller) => {
      const userId = await listedUser(parts, query.user, caller);
      if (userId !== caller.user.id) audit(caller, 'keypair.list', { id: userId ?? '*' });
      const page = await keypairs.list(userId, { limit: query.limit, cursor: query.cursor ?? null });
      return { items: page.items.map(presentKeypair), next: page.next };
    },
    revokeKeypair: async ({ params }, caller) => {
      const keypair = await keypairs.revoke(caller.user.role === 'admin' ? null : caller.user.id, params.keypair, now());
      if (keypair === undefined)
        throw new ProblemError('not-found', `you have no key pair "${params.keypair}": \`berth keypair list\` shows those there are`, {
          field: 'keypair',
        });
      audit(caller, 'keypair.revoke', { id: keypair.id, ownerName: keypair.userName });
      return presentKeypair(keypair);
    },
  };
}

const presentKeypair = (keypair: Keypair): Shown => ({
  id: keypair.id,
  accessKey: keypair.accessKey,
  name: keypair.name,
  user: keypair.userName,
  createdAt: keypair.createdAt.toISOString(),
  lastUsedAt: keypair.lastUsedAt?.toISOString() ?? null,
  revokedAt: keypair.revokedAt?.toISOString() ?? null,
});
