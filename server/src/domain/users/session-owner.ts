import { ProblemError } from '@berth/contract';
import type { User } from './user-store.ts';

/** `user` is undefined where nobody has this access key. */
interface Named {
  readonly accessKey: string;
  readonly user: User | undefined;
}

/**
 * Whose sessions a signed request is about that may name somebody else's key pair. An administrator of Berth is one of the whole
 * installation, all domains included; what she may do with others' sessions is no more than without key pairs.
 */
export function sessionOwner(caller: { readonly accessKey: string; readonly user: User }, named: Named | undefined): User {
  if (named === undefined || named.accessKey === caller.accessKey || named.user?.id === caller.user.id) return caller.user;
  // Before whether it exists: nobody else is told that.
  if (caller.user.role !== 'admin')
    throw new ProblemError(
      'forbidden',
      `the key pair "${named.accessKey}" is not yours: only administrators act for others; leave it out, or name one of your own`,
      { field: FIELD },
    );
  if (named.user === undefined)
    throw new ProblemError('invalid-field', `nobody has the key pair "${named.accessKey}": see berth keypair list --user NAME`, {
      field: FIELD,
    });
  return named.user;
}

const FIELD = 'owner_access_key';
