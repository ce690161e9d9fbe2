import { heldBy, type Slots } from '../../../domain/scheduling/slots.ts';
import { clusterOf } from '../../../domain/sessions/container-plan.ts';
import { resultOf } from '../../../domain/sessions/result.ts';
import type { Dependency, Session } from '../../../domain/sessions/session.ts';
import { kernelsOf, type Kernel } from '../kernels.ts';
import { informationPage, presentSlots } from '../session-page.ts';
import { statusOfState } from '../session-status.ts';
import type { Person } from './people.ts';

/** A session as queries see it. What has no place in a list (variables, output) is not in it. */
export function sessionItem(session: Session, { owner, now }: { owner: Person; now: Date }): object {
  const page = informationPage(session, { owner: owner.user, own: false, now });
  const { size, mode } = clusterOf(session.spec);
  return {
    ...sharedFields(session, page),
    agent: session.grant?.node || null,
    container_id: page.containerId || null,
    id: session.id,
    session_id: session.id,
    sess_id: session.name,
    name: session.name,
    session_name: session.name,
    tag: session.tag,
    type: session.type.toUpperCase(),
    lang: page.lang,
    cluster_mode: mode,
    cluster_size: size,
    domain_name: page.domainName,
    group_name: session.projectName,
    group_id: session.projectId,
    user_email: owner.user.name,
    user_id: session.ownerId,
    created_user_email: owner.user.name,
    created_user_id: session.ownerId,
    access_key: owner.accessKey,
    startup_command: startupCommand(session),
    result: resultOf(session)?.toUpperCase() ?? 'UNDEFINED',
    scaling_group: 'default',
    service_ports: JSON.stringify(page.servicePorts),
    mounts: page.mounts,
    requested_slots: page.requestedSlots,
    num_queries: page.numQueriesExecuted,
    cpu_used: page.lastStat?.cpu_used ?? null,
    io_read_bytes: page.lastStat?.io_read_bytes ?? null,
    io_write_bytes: page.lastStat?.io_write_bytes ?? null,
    containers: kernelsOf(session).map((kernel) => containerItem(session, { page, kernel })),
    dependencies: session.dependencies.map(dependencyItem),
    idle_checks: JSON.stringify(page.idleChecks),
  };
}

type Page = ReturnType<typeof informationPage>;

/** What is said alike of a session and of its containers. */
const sharedFields = (session: Session, page: Page): object => ({
  image: page.image,
  architecture: page.architecture,
  registry: page.registry,
  status: page.status,
  status_info: page.statusInfo,
  status_data: page.statusData === null ? null : JSON.stringify(page.statusData),
  status_changed: session.stateSince.toISOString(),
  created_at: page.creationTime,
  terminated_at: page.terminationTime,
  starts_at: session.startsAt?.toISOString() ?? null,
  resource_opts: JSON.stringify(session.spec.sharedMemoryBytes === null ? {} : { shmem: String(session.spec.sharedMemoryBytes) }),
  occupied_slots: page.occupiedSlots,
});

/** What is counted is counted for the session as a whole, and shown with its main container. */
function containerItem(session: Session, { page, kernel }: { page: Page; kernel: Kernel }): object {
  const stats = kernel.role === 'main' && page.lastStat !== null ? JSON.stringify(page.lastStat) : null;
  const preopen = page.servicePorts.filter(({ protocol }) => protocol === 'preopen');
  return {
    ...sharedFields(session, page),
    id: kernel.id,
    session_id: session.id,
    role: kernel.role,
    cluster_role: kernel.role,
    cluster_idx: kernel.index,
    hostname: kernel.host,
    cluster_hostname: kernel.host,
    status: kernel.status,
    status_info: kernel.statusInfo,
    occupied_slots: JSON.stringify(presentSlots(shareOf(heldBy(session), clusterOf(session.spec).size))),
    agent: kernel.node,
    container_id: kernel.containerId || null,
    live_stat: session.endedAt === null ? stats : null,
    last_stat: stats,
    preopen_ports: preopen.flatMap(({ ports }) => ports),
  };
}

/** Containers of a session ask for the same. */
const shareOf = ({ cpu, memoryBytes, gpu }: Slots, size: number): Slots => ({
  cpu: cpu / size,
  memoryBytes: memoryBytes / size,
  gpu: gpu / size,
});

/** As it was written, where it came through this API. */
function startupCommand({ type, spec: { command } }: Session): string | null {
  if (type !== 'batch') return null;
  const [shell, flag, text] = command;
  return shell === 'sh' && flag === '-c' && text !== undefined ? text : command.join(' ');
}

const dependencyItem = ({ id, name, state, result }: Dependency): object => ({
  id,
  session_id: id,
  name,
  status: statusOfState(state),
  result: result?.toUpperCase() ?? 'UNDEFINED',
});
