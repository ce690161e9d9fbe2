import { containerEnvironment } from '../domain/sessions/container-environment.ts';
import {
  clusterOf,
  containerNames,
  containerOf,
  limitsOf,
  MAIN,
  OWNER_UID,
  seatOf,
  type PlanPolicy,
} from '../domain/sessions/container-plan.ts';
import type { Session } from '../domain/sessions/session.ts';
import { homeFolder, mountsOf } from '../domain/storages/session-mounts.ts';
import { isReserved } from '../domain/scheduling/slots.ts';
import type { ContainerSpec } from '../runtimes/runtime.ts';

/** One container of a session as the runtime is asked to run it. */
export function containerSpec(session: Session, container: string, given: { imageDigest: string; plan: PlanPolicy }): ContainerSpec {
  const { spec } = session;
  const { imageDigest, plan } = given;
  const home = homeFolder(session.ownerName);
  const seat = seatOf(session, container);
  return {
    ref: containerOf(session, container),
    node: seat.node,
    owner: session.ownerName,
    project: session.projectName,
    imageDigest,
    pull: spec.pull,
    ...(container === MAIN ? mainProcess(spec) : WAITING_SHELL),
    env: containerEnvironment(session, container),
    user: { name: session.ownerName, uid: OWNER_UID, gid: OWNER_UID, home },
    ...namesIn(session, container),
    workDir: spec.workDir,
    ...(spec.bootstrapScript !== undefined && { bootstrapScript: spec.bootstrapScript }),
    ...(spec.architecture !== undefined && { architecture: spec.architecture }),
    limits: limitsOf(session, seat, plan),
    stopGraceSeconds: plan.stopGraceSeconds,
    reserved: isReserved(spec),
    reserves: { cpus: spec.cpu ?? 0, memoryBytes: spec.memoryBytes ?? 0 },
    mounts: mountsOf(session),
    egress: spec.egress,
  };
}

type Process = Pick<ContainerSpec, 'command' | 'keepEntrypoint' | 'tty' | 'stdin' | 'port'>;

const mainProcess = ({ command, keepEntrypoint, tty, stdin, port }: Session['spec']): Process => ({
  command,
  keepEntrypoint,
  tty,
  stdin,
  port,
});

/** The command of a session is main1's; beside it a login shell waits in each container for whoever attaches, or runs something there. */
const WAITING_SHELL: Process = { command: [], keepEntrypoint: false, tty: true, stdin: 'open', port: null };

/** In a cluster each is called as the others look it up. */
function namesIn(session: Session, container: string): Pick<ContainerSpec, 'hostname' | 'peers' | 'beside'> {
  const { size, mode } = clusterOf(session.spec);
  if (size === 1) return { hostname: session.name.slice(0, 63).replace(/-+$/, '') };
  const peers = containerNames(session.spec).filter((name) => name !== container);
  const beside = mode === 'single-node' && container !== MAIN ? { beside: containerOf(session) } : {};
  return { hostname: container, peers, ...beside };
}
