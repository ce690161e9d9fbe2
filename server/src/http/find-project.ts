import { ProblemError } from '@berth/contract';
import type { HttpParts } from './parts.ts';

/** A project that the user is a member of, by name or id; null: her own. */
export async function findProject({ users }: Pick<HttpParts, 'users'>, userId: string, text: string | null) {
  const project = await users.project(userId, text);
  if (project !== undefined) return project;
  throw new ProblemError(
    'not-found',
    text === null ? 'you have no project of your own yet' : `there is no project "${text}" that you are a member of`,
    { field: 'project' },
  );
}
