import type { Session as Shown } from '@berth/contract';
import { withoutSecrets } from '../domain/deliveries/callback.ts';
import { isReserved } from '../domain/scheduling/slots.ts';
import { presentCommit } from '../domain/sessions/commit.ts';
import { clusterOf, seatsOf } from '../domain/sessions/container-plan.ts';
import { containerViews, isDegraded } from '../domain/sessions/container-view.ts';
import { resultOf } from '../domain/sessions/result.ts';
import { servicePortsOf } from '../domain/sessions/service-ports.ts';
import type { Session } from '../domain/sessions/session.ts';
import { presentStatistics } from '../domain/sessions/statistics.ts';
import { storagesIn } from '../domain/storages/session-mounts.ts';

/** The session as its owner sees it; variables and bootstrap script never leave the server. */
export function presentSession(session: Session): Shown {
  const { spec, ending } = session;
  return {
    id: session.id,
    name: session.name,
    project: { id: session.projectId, name: session.projectName },
    owner: { id: session.ownerId, name: session.ownerName },
    type: session.type,
    tag: session.tag,
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
    mounts: presentMounts(session),
    clusterSize: clusterOf(spec).size,
    clusterMode: clusterOf(spec).mode,
    containers: [...containerViews(session)],
    degraded: isDegraded(session),
    // Empty until a cluster has decided.
    node: session.grant?.node || null,
    egress: spec.egress,
    port: spec.port,
    servicePorts: [...servicePortsOf(session)],
    bootstrap: spec.bootstrapScript !== undefined,
    architecture: spec.architecture ?? null,
    startsAt: instant(session.startsAt),
    dependencies: session.dependencies.map(({ id, name, state, result }) => ({ id, name, state, result })),
    batchTimeoutMs: session.batchTimeoutMs,
    retry: session.retry,
    result: resultOf(session),
    generation: session.generation,
    restarts: session.restarts,
    waiting: presentWaiting(session),
    timeline: [...session.timeline],
    exitCode: ending?.exitCode ?? null,
    cause: ending?.cause ?? null,
    lastLog: [...session.lastLog],
    statistics: presentStatistics(session.statistics),
    commit: presentCommit(session),
    callback: presentCallback(session),
    createdAt: session.createdAt.toISOString(),
    startedAt: instant(session.startedAt),
    endedAt: instant(session.endedAt),
    willStopAt: instant(session.willStopAt),
  };
}

function presentWaiting({ waiting }: Session): Shown['waiting'] {
  return waiting === null ? null : { ...waiting, reasons: [...waiting.reasons], holds: [...(waiting.holds ?? [])] };
}

const presentMounts = ({ spec }: Session): Shown['mounts'] =>
  storagesIn(spec).map(({ storageId, name, target, readOnly }) => ({ storage: { id: storageId, name }, target, readOnly }));

function presentResources({ spec, grant }: Session): Shown['resources'] {
  return {
    cpu: spec.cpu,
    gpu: spec.gpu,
    memoryBytes: spec.memoryBytes,
    sharedMemoryBytes: spec.sharedMemoryBytes,
    reserved: isReserved(spec),
    devices: grant === null ? [] : seatsOf(grant).flatMap(({ devices }) => devices),
  };
}

function presentCallback({ callback }: Session): Shown['callback'] {
  return callback === null ? null : { ...callback, lastAt: instant(callback.lastAt === null ? null : new Date(callback.lastAt)) };
}

/** For an administrator who is not its owner: what it is and how it fares, nothing of what it printed. */
export function presentMetadata(session: Session): Shown {
  const { callback, ...shown } = presentSession(session);
  return { ...shown, lastLog: [], callback: callback && { ...callback, url: withoutSecrets(callback.url) } };
}

const instant = (time: Date | null): string | null => time?.toISOString() ?? null;
