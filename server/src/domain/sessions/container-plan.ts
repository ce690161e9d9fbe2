import type { Cluster, Grant, Seat, Session, SessionSpec } from './session.ts';

/** What runs for a session, without any engine's words; the reconciler hands it to the runtime. */
export const MAIN = 'main1';
export const OWNER_UID = 1000;

export interface PlanPolicy {
  readonly pids: number;
  /** Bytes; the share of memory that /dev/shm may take where nothing was asked for is half, up to this. */
  readonly sharedMemoryBytes: number;
  readonly stopGraceSeconds: number;
}

interface Ref {
  readonly sessionId: string;
  readonly generation: number;
  readonly container: string;
}

export const containerOf = (session: Pick<Session, 'id' | 'generation'>, container = MAIN): Ref => ({
  sessionId: session.id,
  generation: session.generation,
  container,
});

/** main1 first. */
export const containersOf = (session: Session): readonly Ref[] =>
  containerNames(session.spec).map((container) => containerOf(session, container));

const ONE: Cluster = { size: 1, mode: 'single-node' };
export const clusterOf = ({ cluster }: Pick<SessionSpec, 'cluster'>): Cluster => cluster ?? ONE;

/** main1, sub1, sub2, … */
export const containerNames = (spec: Pick<SessionSpec, 'cluster'>): readonly string[] => [
  MAIN,
  ...Array.from({ length: clusterOf(spec).size - 1 }, (_, index) => `sub${index + 1}`),
];

/** As containerNames has them. */
export const seatsOf = (grant: Grant): readonly Seat[] => [grant, ...(grant.subs ?? [])];

/** Each once. */
export const nodesOf = (grant: Grant): readonly string[] => [...new Set(seatsOf(grant).map(({ node }) => node))];

export const homeOf = (session: Pick<Session, 'ownerId'>): { name: string; uid: number; gid: number } => ({
  name: `home-${session.ownerId}`,
  uid: OWNER_UID,
  gid: OWNER_UID,
});

export function seatOf({ id, spec, grant }: Session, container: string): Seat {
  const seat = grant === null ? undefined : seatsOf(grant)[containerNames(spec).indexOf(container)];
  if (seat === undefined) throw new Error(`${container} of session ${id} has no place yet`);
  return seat;
}

export function limitsOf({ spec }: Session, seat: Seat, policy: PlanPolicy) {
  return {
    cpus: seat.cpus,
    memoryBytes: seat.memoryBytes,
    sharedMemoryBytes: spec.sharedMemoryBytes ?? Math.min(Math.floor(seat.memoryBytes / 2), policy.sharedMemoryBytes),
    pids: policy.pids,
    devices: seat.devices,
    gpus: spec.gpu,
  };
}
