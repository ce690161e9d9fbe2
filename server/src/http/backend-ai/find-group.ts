import type { HttpParts } from '../parts.ts';

/** A project that this user is a member of, by name or id; "default" is her own. */
export async function findGroup(
  { users }: Pick<HttpParts, 'users'>,
  name: string,
  userId: string,
): Promise<{ readonly id: string; readonly name: string } | undefined> {
  return (await users.project(userId, name)) ?? (name === 'default' ? users.project(userId, null) : undefined);
}
