import type { FastifyBaseLogger } from 'fastify';
import type { Session } from '../domain/sessions/session.ts';
import type { Token, User } from '../domain/users/user-store.ts';

/** Who asks, proved by a token. */
export interface Caller {
  readonly user: User;
  readonly token: Token;
  readonly tokenHash: string;
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
}

/** Who did something: a token or a key pair says which of her programs. */
export type Actor = Pick<Caller, 'user' | 'requestId' | 'log'> & { readonly token: Pick<Token, 'id'> };

/** One line for whoever asks later who did what. Never holds what was typed, printed or configured. */
export function audit(caller: Actor, action: string, about: Pick<Session, 'id' | 'ownerName'> | { readonly id: string }): void {
  const { user, token, requestId } = caller;
  const owner = 'ownerName' in about && about.ownerName !== user.name ? { owner: about.ownerName } : {};
  caller.log.info({ audit: action, actor: user.name, actorId: user.id, token: token.id, subject: about.id, requestId, ...owner }, action);
}
