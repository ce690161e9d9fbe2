import { containerOf, homeOf, limitsOf, OWNER_UID, type PlanPolicy } from '../domain/sessions/container-plan.ts';
import type { Session } from '../domain/sessions/session.ts';
import { isReserved } from '../domain/scheduling/slots.ts';
import type { ContainerSpec } from '../runtimes/runtime.ts';

/** A session as the runtime is asked to run it. */
export function containerSpec(session: Session, imageDigest: string, policy: PlanPolicy): ContainerSpec {
  const { spec } = session;
  const home = `/home/${session.ownerName}`;
  return {
    ref: containerOf(session),
    node: session.grant?.node ?? '',
    owner: session.ownerName,
    project: session.projectName,
    imageDigest,
    pull: spec.pull,
    command: spec.command,
    keepEntrypoint: spec.keepEntrypoint,
    tty: spec.tty,
    stdin: spec.stdin,
    env: { ...spec.env, BERTH_SESSION_NAME: session.name },
    user: { name: session.ownerName, uid: OWNER_UID, gid: OWNER_UID, home },
    hostname: session.name.slice(0, 63).replace(/-+$/, ''),
    workDir: spec.workDir,
    port: spec.port,
    limits: limitsOf(session, policy),
    stopGraceSeconds: policy.stopGraceSeconds,
    reserved: isReserved(spec),
    reserves: { cpus: spec.cpu ?? 0, memoryBytes: spec.memoryBytes ?? 0 },
    mounts: [{ storage: homeOf(session), target: home, readOnly: false }],
    egress: spec.egress,
  };
}
