import { randomBytes } from 'node:crypto';
import { ProblemError, type Token as Shown } from '@berth/contract';
import { newTokenSecret } from '../domain/users/token.ts';
import type { Token } from '../domain/users/user-store.ts';
import { audit } from './caller.ts';
import type { HttpParts } from './parts.ts';
import type { Handlers } from './route.ts';
import { userMeant } from './user-routes.ts';

export function tokenHandlers(parts: HttpParts): Pick<Handlers, 'createToken' | 'listTokens' | 'revokeToken'> {
  const { tokens, newId, now } = parts;
  return {
    createToken: async ({ body }, caller) => {
      const owner = await userMeant(parts, body.user, caller);
      const { secret, hash, prefix } = newTokenSecret(randomBytes(32));
      const token = await tokens.create({
        id: newId(),
        name: body.name,
        userId: owner.id,
        prefix,
        hash,
        expiresAt: expiry(now(), body.expiresIn),
      });
      audit(caller, 'token.create', token);
      return { ...presentToken(token), secret };
    },
    listTokens: async ({ query }, caller) => {
      const page = await tokens.list(caller.user.id, { limit: query.limit, cursor: query.cursor ?? null });
      return { items: page.items.map(presentToken), next: page.next };
    },
    revokeToken: async ({ params }, caller) => {
      const token = await tokens.revoke(caller.user.role === 'admin' ? null : caller.user.id, params.token, now());
      if (token === undefined)
        throw new ProblemError('not-found', `you have no token "${params.token}": \`berth token list\` shows their ids`, {
          field: 'token',
        });
      audit(caller, 'token.revoke', token);
      return presentToken(token);
    },
  };
}

const LAST_YEAR = 9999;

function expiry(now: Date, expiresInMs: number | undefined): Date | null {
  if (expiresInMs === undefined) return null;
  const at = new Date(now.getTime() + expiresInMs);
  if (Number.isNaN(at.getTime()) || at.getUTCFullYear() > LAST_YEAR) {
    throw new ProblemError(
      'invalid-field',
      'a token cannot live beyond the year 9999: leave "expiresIn" out for one that does not expire',
      { field: 'expiresIn' },
    );
  }
  return at;
}

const presentToken = (token: Token): Shown => ({
  id: token.id,
  name: token.name,
  user: token.userName,
  prefix: token.prefix,
  createdAt: token.createdAt.toISOString(),
  expiresAt: token.expiresAt?.toISOString() ?? null,
  lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
  revokedAt: token.revokedAt?.toISOString() ?? null,
});
