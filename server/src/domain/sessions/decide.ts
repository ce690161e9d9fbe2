import { decideOnCluster } from './decide-on-cluster.ts';
import { decideOnEngine } from './decide-on-engine.ts';
import type { Decision, LifePolicy, Seen } from './decision.ts';
import { isFinal } from './lifecycle.ts';
import type { Session } from './session.ts';

/** Level-triggered: looks only at what is wanted and what is there, never at which event woke us. */
export const decide = (session: Session, seen: Seen, now: Date, policy: LifePolicy): Decision =>
  policy.orchestrates ? decideOnCluster(session, seen, now, policy) : decideOnEngine(session, seen, now, policy);

/** Some states are decided without asking the runtime. */
export function needsLook(session: Session, policy: Pick<LifePolicy, 'orchestrates'>): boolean {
  if (isFinal(session.state)) return false;
  if (policy.orchestrates) return session.grant !== null || session.generation > 0;
  return session.state !== 'pending' && session.state !== 'scheduled' && session.state !== 'pulling';
}
