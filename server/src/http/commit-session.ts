import { ProblemError } from '@berth/contract';
import { committedReference } from '../domain/images/committed.ts';
import { newCommit, wantCommit } from '../domain/sessions/commit.ts';
import type { Session } from '../domain/sessions/session.ts';
import { canCommit } from '../runtimes/runtime.ts';
import { audit, type Actor } from './caller.ts';
import type { HttpParts } from './parts.ts';

type Parts = Pick<HttpParts, 'sessions' | 'runtime' | 'newId' | 'now' | 'wake'>;

/** Asks for an image of a session's files, called NAME[:TAG] in its owner's folder. */
export async function commitSession(
  parts: Parts,
  { session, image }: { session: Session; image: string },
  caller: Actor,
): Promise<Session> {
  if (!canCommit(parts.runtime))
    throw new ProblemError(
      'not-supported',
      `${session.name} runs where no images can be made of sessions (${parts.runtime.kind}): build an image where images are built, and start sessions from that`,
    );
  const reference = committedReference({ id: session.ownerId, name: session.ownerName }, image);
  const commit = newCommit(parts.newId(), reference, parts.now());
  const message = `an image of it, docker://${reference}, asked for by ${caller.user.name}`;
  const asked = await parts.sessions.request(session.id, wantCommit(commit), message);
  audit(caller, 'session.commit', asked);
  parts.wake(asked.id);
  return asked;
}
