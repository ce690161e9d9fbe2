import { resultOf } from '../../../domain/sessions/result.ts';
import type { Dependency, Session } from '../../../domain/sessions/session.ts';
import { informationPage } from '../session-page.ts';
import type { Person } from './people.ts';

const CLUSTER = { mode: 'single-node', size: 1 };

/** A session as queries see it. What has no place in a list (variables, output) is not in it. */
export function sessionItem(session: Session, { owner, now }: { owner: Person; now: Date }): object {
  const page = informationPage(session, { owner: owner.user, own: false, now });
  const shared = { ...sharedFields(session, page), container_id: page.containerId || null };
  const stats: Readonly<Record<string, unknown>> = { ...(page.lastStat as object | null) };
  return {
    ...shared,
    id: session.id,
    session_id: session.id,
    sess_id: session.name,
    name: session.name,
    session_name: session.name,
    tag: session.tag,
    type: session.type.toUpperCase(),
    lang: page.lang,
    cluster_mode: CLUSTER.mode,
    cluster_size: CLUSTER.size,
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
    cpu_used: stats['cpu_used'] ?? null,
    io_read_bytes: stats['io_read_bytes'] ?? null,
    io_write_bytes: stats['io_write_bytes'] ?? null,
    containers: [containerItem(session, { page, shared })],
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
  agent: session.grant?.node || null,
  resource_opts: JSON.stringify(session.spec.sharedMemoryBytes === null ? {} : { shmem: String(session.spec.sharedMemoryBytes) }),
  occupied_slots: page.occupiedSlots,
});

function containerItem(session: Session, { page, shared }: { page: Page; shared: object }): object {
  const stats = page.lastStat === null ? null : JSON.stringify(page.lastStat);
  return {
    ...shared,
    id: session.id,
    session_id: session.id,
    role: 'main',
    cluster_role: 'main',
    cluster_idx: 1,
    hostname: 'main1',
    cluster_hostname: 'main1',
    live_stat: session.endedAt === null ? stats : null,
    last_stat: stats,
    preopen_ports: page.servicePorts.filter(({ protocol }) => protocol === 'preopen').flatMap(({ ports }) => ports),
  };
}

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
  status: state.toUpperCase(),
  result: result?.toUpperCase() ?? 'UNDEFINED',
});
