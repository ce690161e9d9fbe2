import type { Session as Shown } from '@berth/contract';
import { isReserved } from '../domain/scheduling/slots.ts';
import type { Session } from '../domain/sessions/session.ts';

/** The session as its owner sees it; variables never leave the server. */
export function presentSession(session: Session): Shown {
  const { spec, ending } = session;
  return {
    id: session.id,
    name: session.name,
    project: { id: session.projectId, name: session.projectName },
    owner: { id: session.ownerId, name: session.ownerName },
    type: session.type,
    state: session.state,
    stateSince: session.stateSince.toISOString(),
    reason: session.reason,
    wanted: session.wanted,
    frozen: session.frozen,
    image: { reference: spec.image, digest: session.imageDigest },
    command: [...spec.command],
    tty: spec.tty,
    stdin: spec.stdin,
    resources: presentResources(session),
    // Empty until a cluster has decided.
    node: session.grant?.node || null,
    egress: spec.egress,
    port: spec.port,
    generation: session.generation,
    restarts: session.restarts,
    waiting: session.waiting === null ? null : { ...session.waiting, reasons: [...session.waiting.reasons] },
    timeline: [...session.timeline],
    exitCode: ending?.exitCode ?? null,
    cause: ending?.cause ?? null,
    lastLog: [...session.lastLog],
    createdAt: session.createdAt.toISOString(),
    startedAt: instant(session.startedAt),
    endedAt: instant(session.endedAt),
    willStopAt: instant(session.willStopAt),
  };
}

function presentResources({ spec, grant }: Session): Shown['resources'] {
  return {
    cpu: spec.cpu,
    gpu: spec.gpu,
    memoryBytes: spec.memoryBytes,
    sharedMemoryBytes: spec.sharedMemoryBytes,
    reserved: isReserved(spec),
    devices: [...(grant?.devices ?? [])],
  };
}

/** For an administrator who is not its owner: what it is and how it fares, nothing of what it printed. */
export const presentMetadata = (session: Session): Shown => ({ ...presentSession(session), lastLog: [] });

const instant = (time: Date | null): string | null => time?.toISOString() ?? null;
