import { ProblemError, type Cause, type SessionCommit } from '@berth/contract';
import { isFinal } from './lifecycle.ts';
import type { Session } from './session.ts';

/** An image that is made of a session's files. A request begins it; the reconciler writes how far it is and how it ended. */
export interface Commit {
  readonly id: string;
  /** What the engine knows it by. */
  readonly reference: string;
  readonly progress: string;
  readonly digest: string | null;
  readonly cause: Cause | null;
  /** RFC 3339. */
  readonly askedAt: string;
  readonly endedAt: string | null;
}

export const newCommit = (id: string, reference: string, now: Date): Commit => ({
  id,
  reference,
  progress: 'waiting for its turn',
  digest: null,
  cause: null,
  askedAt: now.toISOString(),
  endedAt: null,
});

export const isCommitting = ({ commit }: Pick<Session, 'commit'>): boolean => commit !== null && commit.endedAt === null;

/** Only a session that has a container at rest or at work has files; one image at a time. */
export const wantCommit =
  (commit: Commit) =>
  (session: Session): Session => {
    const { name, state, wanted } = session;
    if (wanted === 'terminated' || (state !== 'running' && state !== 'paused'))
      throw new ProblemError('wrong-state', `${name} is ${state}: an image can be made of a session that runs or is paused`);
    if (isCommitting(session))
      throw new ProblemError('wrong-state', `${name} is being made an image of already (${session.commit?.reference}): wait for its end`);
    return { ...session, commit };
  };

export const committed = (commit: Commit, digest: string, now: Date): Commit => ({
  ...commit,
  progress: 'the image is there',
  digest,
  endedAt: now.toISOString(),
});

export const commitFailed = (commit: Commit, cause: Cause, now: Date): Commit => ({
  ...commit,
  progress: cause.message,
  cause,
  endedAt: now.toISOString(),
});

/** As it is told: what has ended with its session has failed. */
export function presentCommit(session: Session): SessionCommit | null {
  const { commit } = session;
  if (commit === null) return null;
  const over =
    isCommitting(session) && isFinal(session.state) ? commitFailed(commit, ENDED, session.endedAt ?? session.stateSince) : commit;
  const { id, reference, digest, cause, askedAt, endedAt } = over;
  return {
    id,
    image: `docker://${reference}`,
    state: endedAt === null ? 'working' : cause === null ? 'done' : 'failed',
    message: cause === null ? over.progress : `${cause.message}: ${cause.remedy}`,
    digest,
    askedAt,
    endedAt,
  };
}

const ENDED: Cause = {
  code: 'container-lost',
  message: 'its session ended before the image was complete',
  remedy: 'wait for the image before the session is ended',
};
