import { containerId } from '../../domain/sessions/container-id.ts';
import { containerViews } from '../../domain/sessions/container-view.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { isUp, statusInfo, statusOf, type Status } from './session-status.ts';

/** A container in their words. */
export interface Kernel {
  /** Of main1 the session's. */
  readonly id: string;
  readonly role: 'main' | 'sub';
  /** Counted from 1 within the role. */
  readonly index: number;
  /** Counted from 0 over all. */
  readonly localRank: number;
  /** main1, sub1, … */
  readonly host: string;
  readonly status: Status;
  readonly statusInfo: string;
  /** Empty before there is one. */
  readonly containerId: string;
  readonly node: string | null;
  readonly exitCode: number | null;
}

/** Main first. */
export const kernelsOf = (session: Session): readonly Kernel[] =>
  containerViews(session).map(({ name, role, node, state, exitCode }, localRank) => {
    const isGone = state === 'ended' && role === 'sub' && isUp(session);
    return {
      id: containerId(session.id, name),
      role,
      index: Math.max(localRank, 1),
      localRank,
      host: name,
      status: isGone ? 'TERMINATED' : statusOf(session) === 'RUNNING_DEGRADED' ? 'RUNNING' : statusOf(session),
      statusInfo: isGone ? 'self-terminated' : statusInfo(session),
      containerId: session.generation === 0 ? '' : `${session.id}-${session.generation}-${name}`,
      node,
      exitCode,
    };
  });
