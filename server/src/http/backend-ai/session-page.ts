import type { Hold } from '@berth/contract';
import { normalArchitecture } from '../../domain/images/architecture.ts';
import { heldBy, totalOf, type Slots } from '../../domain/scheduling/slots.ts';
import { MAIN } from '../../domain/sessions/container-plan.ts';
import { servicePortsOf } from '../../domain/sessions/service-ports.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { storagesIn } from '../../domain/storages/session-mounts.ts';
import type { User } from '../../domain/users/user-store.ts';
import { flatStats } from './container-stats.ts';
import { isUp, statusInfo, statusOf } from './session-status.ts';

export interface ServicePort {
  readonly name: string;
  readonly protocol: 'http' | 'tcp' | 'pty' | 'preopen';
  readonly ports: readonly number[];
}

/** The services of a running session; before, nothing answers there. Ports that were asked for by number go by it. */
export function servicePorts(session: Session): readonly ServicePort[] {
  if (!isUp(session)) return [];
  return servicePortsOf(session).map(({ name, port, protocol }) => ({
    name,
    protocol: name === String(port) ? 'preopen' : protocol,
    ports: [port],
  }));
}

/** What creating or reusing a session answers. Both spellings of id and ports: clients differ. */
export function createdAnswer(session: Session, { status, created }: { status: string; created: boolean }): object {
  const ports = servicePorts(session);
  return {
    sessionId: session.id,
    sessId: session.id,
    sessionName: session.name,
    status,
    servicePorts: ports,
    service_ports: ports,
    created,
  };
}

/** The information page: the twenty keys, and a few newer ones. `own`: asked for by its owner, who alone sees the variables. */
export function informationPage(session: Session, { owner, own, now }: { owner: User; own: boolean; now: Date }) {
  const { spec } = session;
  return {
    domainName: owner.domain,
    groupId: session.projectId,
    userId: session.ownerId,
    image: spec.image,
    lang: spec.image,
    architecture: spec.architecture ?? architecture(),
    registry: registryOf(spec.image),
    tag: session.tag,
    containerId: session.generation === 0 ? '' : `${session.id}-${session.generation}-${MAIN}`,
    occupiedSlots: JSON.stringify(presentSlots(heldBy(session))),
    occupiedShares: '{}',
    environ: JSON.stringify(own ? spec.env : {}),
    status: statusOf(session),
    statusInfo: statusInfo(session),
    statusData: statusData(session),
    age: Math.max(0, now.getTime() - session.createdAt.getTime()),
    creationTime: session.createdAt.toISOString(),
    terminationTime: session.endedAt?.toISOString() ?? null,
    numQueriesExecuted: session.uses,
    lastStat: flatStats(session.statistics),
    idleChecks: {},
    servicePorts: servicePorts(session),
    requestedSlots: JSON.stringify(presentSlots(totalOf(spec))),
    mounts: storagesIn(spec).map(({ name }) => name),
  };
}

/** The server's own: of who asked for none. */
export const architecture = (): string => normalArchitecture(process.arch);

/** The host that the reference names; empty for the engine's own default. */
function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : '';
}

export function presentSlots({ cpu, memoryBytes, gpu }: Slots): Readonly<Record<string, string>> {
  return {
    ...(cpu > 0 && { cpu: String(cpu) }),
    ...(memoryBytes > 0 && { mem: String(memoryBytes) }),
    ...(gpu > 0 && { 'cuda.device': String(gpu) }),
  };
}

const PREDICATES: Readonly<Record<Hold['rule'], string>> = {
  'starts-at': 'reserved_time',
  dependencies: 'dependencies',
  'session-limit': 'concurrency',
};

function statusData(session: Session): object | null {
  const { state, waiting, ending, reason } = session;
  if (state === 'pending' && waiting !== null) {
    const holds = (waiting.holds ?? []).map(({ rule, reason: msg }) => ({ name: PREDICATES[rule], msg }));
    const nodes = waiting.reasons.map(({ node: name, reason: msg }) => ({ name, msg }));
    return {
      scheduler: {
        msg: reason,
        position: waiting.position,
        of: waiting.of,
        failed_predicates: [...holds, ...nodes],
        passed_predicates: [],
      },
    };
  }
  if (ending === null) return null;
  const { cause, exitCode } = ending;
  return {
    kernel: { exit_code: exitCode },
    session: { status: ending.state },
    ...(cause !== null && { error: { src: 'agent', name: cause.code, repr: `${cause.message} ${cause.remedy}` } }),
  };
}
