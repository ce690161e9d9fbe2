import type { Session } from './session.ts';

/** What runs for a session, without any engine's words; the reconciler hands it to the runtime. */
export const MAIN = 'main1';
export const OWNER_UID = 1000;

export interface PlanPolicy {
  readonly pids: number;
  /** Bytes; the share of memory that /dev/shm may take where nothing was asked for is half, up to this. */
  readonly sharedMemoryBytes: number;
  readonly stopGraceSeconds: number;
}

export const containerOf = (session: Session): { sessionId: string; generation: number; container: string } => ({
  sessionId: session.id,
  generation: session.generation,
  container: MAIN,
});

export const homeOf = (session: Pick<Session, 'ownerId'>): { name: string; uid: number; gid: number } => ({
  name: `home-${session.ownerId}`,
  uid: OWNER_UID,
  gid: OWNER_UID,
});

export function limitsOf(session: Session, policy: PlanPolicy) {
  const grant = session.grant;
  if (grant === null) throw new Error(`session ${session.id} has no place yet`);
  return {
    cpus: grant.cpus,
    memoryBytes: grant.memoryBytes,
    sharedMemoryBytes: session.spec.sharedMemoryBytes ?? Math.min(Math.floor(grant.memoryBytes / 2), policy.sharedMemoryBytes),
    pids: policy.pids,
    devices: grant.devices,
    gpus: session.spec.gpu,
  };
}
