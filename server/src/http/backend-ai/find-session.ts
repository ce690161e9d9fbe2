import { z } from 'zod';
import type { Session } from '../../domain/sessions/session.ts';
import { sessionOwner } from '../../domain/users/session-owner.ts';
import type { User } from '../../domain/users/user-store.ts';
import { audit } from '../caller.ts';
import { check } from '../check.ts';
import type { Call, Surface } from './call.ts';
import { canonical, type Parameters } from './parameters.ts';
import { pickSession } from './pick-session.ts';
import { Refusal } from './refusal.ts';
import type { SignedCaller } from './signature-check.ts';

const CANDIDATES = 10;
const Owner = z.object({ ownerAccessKey: z.string().max(64).optional() });

/** Whose sessions a request is about: decided before any is looked for, so that nothing leaks. */
export async function ownerOf({ parts }: Surface, parameters: Parameters, caller: SignedCaller): Promise<User> {
  const { ownerAccessKey: accessKey } = check(Owner, canonical(parameters, { ownerAccessKey: ['owner_access_key'] }));
  if (accessKey === undefined || accessKey === caller.accessKey) return caller.user;
  const found = await parts.keypairs.find(accessKey);
  return sessionOwner(caller, { accessKey, user: found?.user });
}

export interface Found {
  readonly owner: User;
  readonly session: Session;
}

/** The session that the path's `:id` means. `dead`: also those that were terminated or cancelled. */
export async function findSession(
  surface: Surface,
  { call, caller }: { call: Pick<Call, 'path' | 'parameters'>; caller: SignedCaller },
  { dead }: { dead: boolean },
): Promise<Found> {
  const owner = await ownerOf(surface, call.parameters, caller);
  const text = call.path['id'] ?? '';
  return { owner, session: pickSession(text, await candidates(surface, owner, { text, dead })) };
}

export const candidates = ({ parts }: Surface, owner: User, { text, dead }: { text: string; dead: boolean }): Promise<readonly Session[]> =>
  parts.sessions.matching(owner.id, check(z.string(), text), { dead, limit: CANDIDATES });

/** What is typed and printed in a session, and its life otherwise than its end, are its owner's alone: an administrator is told so. */
export function refuseStrangers({ session, owner }: Found, caller: SignedCaller): void {
  if (owner.id === caller.user.id) return;
  throw new Refusal(
    'generic-forbidden',
    `"${session.name}" is ${owner.name}'s: administrators see what it is and can destroy it, nothing more`,
  );
}

/** An administrator looking at what is not hers leaves a trace. */
export function auditLook({ session, owner }: Found, caller: SignedCaller): void {
  if (owner.id !== caller.user.id) audit(caller, 'session.look', session);
}
