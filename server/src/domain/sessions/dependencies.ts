import type { Cause } from '@berth/contract';
import { isFinal } from './lifecycle.ts';
import type { Dependency, Session } from './session.ts';

type Follower = Pick<Session, 'dependencies'>;

/** Those that it still has to wait for, whatever becomes of them. */
export const unfinished = ({ dependencies }: Follower): readonly Dependency[] => dependencies.filter(({ result }) => result !== 'success');

/** One that has ended and did not succeed: what follows it can never start. */
export const failedDependency = (follower: Follower): Dependency | undefined => unfinished(follower).find(({ state }) => isFinal(state));

export const dependencyFailed = ({ name, state }: Dependency): Cause => ({
  code: 'dependency-failed',
  message: `it was to follow ${name}, which ${state === 'cancelled' ? 'was cancelled' : 'did not succeed'}`,
  remedy: `see why: berth session show ${name}; then create both again`,
});

/** Since when only a place is missing; null: something else is. */
export function readySince(session: Pick<Session, 'stateSince' | 'startsAt' | 'dependencies'>, now: Date): Date | null {
  const { stateSince, startsAt, dependencies } = session;
  if (unfinished(session).length > 0 || (startsAt !== null && startsAt > now)) return null;
  const moments = [stateSince, startsAt ?? stateSince, ...dependencies.map(({ endedAt }) => new Date(endedAt ?? stateSince))];
  return new Date(Math.max(...moments.map((moment) => moment.getTime())));
}
