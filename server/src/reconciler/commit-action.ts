import type { Cause } from '@berth/contract';
import { commitFailed, committed } from '../domain/sessions/commit.ts';
import { containerOf } from '../domain/sessions/container-plan.ts';
import { note } from '../domain/sessions/lifecycle.ts';
import type { ReconcilerStore } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';
import { canCommit, RuntimeError, type Runtime } from '../runtimes/runtime.ts';
import type { Outcome } from './actions.ts';

const LOOK_MS = 300;

interface Parts {
  readonly store: ReconcilerStore;
  readonly runtime: Runtime;
  readonly now: () => Date;
}

/** One look at the image that is being made of a session; the first one begins it. What goes wrong with it never fails the session. */
export async function commitSession({ store, runtime, now }: Parts, session: Session): Promise<Outcome> {
  const { commit } = session;
  if (commit === null) return { kind: 'again' };
  const failed = (cause: Cause): Outcome => ({
    kind: 'save',
    next: note(session, { commit: commitFailed(commit, cause, now()) }),
    event: { kind: 'notice', message: `no image was made of it: ${cause.message}` },
  });
  if (!canCommit(runtime)) return failed(NO_IMAGES);
  try {
    const made = await runtime.commit({ ref: containerOf(session), reference: commit.reference, key: commit.id });
    if (made.phase === 'done') {
      const next = note(session, { commit: committed(commit, made.digest, now()) });
      return { kind: 'save', next, event: { kind: 'notice', message: `the image docker://${commit.reference} was made of it` } };
    }
    if (made.progress === commit.progress) return { kind: 'wait', inMs: LOOK_MS };
    const noted = note(session, { commit: { ...commit, progress: made.progress } });
    const saved = await store.save(noted, { kind: 'progress', message: `${commit.reference}: ${made.progress}` }, LOOK_MS);
    return saved ? { kind: 'wait', inMs: LOOK_MS } : { kind: 'again', session: (await store.get(session.id)) ?? session };
  } catch (error) {
    if (error instanceof RuntimeError && error.kind !== 'unreachable') return failed(error.failure);
    throw error;
  }
}

const NO_IMAGES: Cause = {
  code: 'rejected',
  message: 'this runtime makes no images of sessions',
  remedy: 'build an image where images are built, and start sessions from that',
};
