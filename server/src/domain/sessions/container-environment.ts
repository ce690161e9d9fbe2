import { containerId } from './container-id.ts';
import { clusterOf, containerNames, MAIN } from './container-plan.ts';
import type { Session } from './session.ts';

/** The variables of a container: what was asked for, over that what the surface it was asked through adds, over that what Berth says of itself. */
export function containerEnvironment(session: Session, container: string): Record<string, string> {
  const { env, serverEnv = {} } = session.spec;
  const facts = factsOf(session, container);
  const filled = Object.entries(serverEnv).map(([name, template]) => [name, fill(template, facts)]);
  return { ...env, ...Object.fromEntries(filled), ...facts };
}

const fill = (template: string, facts: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\$(BERTH_[A-Z_]+)/g, (word, name: string) => facts[name] ?? word);

/** Which session, and which of its containers: the same set for a session of one. */
function factsOf({ id, name, spec }: Session, container: string): Readonly<Record<string, string>> {
  const { size } = clusterOf(spec);
  const hosts = containerNames(spec);
  const rank = hosts.indexOf(container);
  return {
    BERTH_SESSION_ID: id,
    BERTH_SESSION_NAME: name,
    BERTH_IMAGE: spec.image,
    BERTH_CONTAINER_ID: containerId(id, container),
    BERTH_CLUSTER_SIZE: String(size),
    BERTH_CLUSTER_REPLICAS: size === 1 ? 'main:1' : `main:1,sub:${size - 1}`,
    BERTH_CLUSTER_HOSTS: hosts.join(','),
    BERTH_CLUSTER_HOST: container,
    BERTH_CLUSTER_ROLE: container === MAIN ? 'main' : 'sub',
    // Counted from 1 within the role, and from 0 over all.
    BERTH_CLUSTER_INDEX: String(Math.max(rank, 1)),
    BERTH_CLUSTER_RANK: String(rank),
  };
}
