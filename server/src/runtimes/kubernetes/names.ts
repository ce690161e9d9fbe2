import type { ContainerRef, ContainerSpec } from '../runtime.ts';
import { IDENTITY } from '../container-labels.ts';

/** On everything we make: `instance`. On what belongs to a session all but `storage`. Values are legal label values. */
export const LABEL = {
  ...IDENTITY,
  storage: 'berth.storage',
} as const;

/** What a server needs to know of a pod that it did not make, and what does not fit into a label. */
export const ANNOTATION = {
  /** When its gate was opened, as ISO 8601. */
  startedAt: 'berth.started-at',
  /** When it was told to end. */
  stoppedAt: 'berth.stopped-at',
  /** `none`: its process runs as soon as the pod does. */
  gate: 'berth.gate',
  /** `framed`: see stdin-framing.ts. */
  stdin: 'berth.stdin',
  /** `login-shell`: nobody gave a command. */
  command: 'berth.command',
  egress: 'berth.egress',
  /** Host names of the session's other containers, separated by commas. */
  peers: 'berth.peers',
  owner: 'berth.owner-name',
  project: 'berth.project-name',
} as const;

/** The one container of a pod. */
export const MAIN = 'main';

/** The cluster lets no two pods share a name: that is our guard against duplicates. */
export const podName = (ref: ContainerRef): string => `berth-${ref.sessionId}-g${ref.generation}-${ref.container}`;

/** Undefined for a pod of somebody else's; another installation's has the same form. */
export function refOfPod(name: string): ContainerRef | undefined {
  const [, sessionId, generation, container] = /^berth-([0-9a-f-]{36})-g(\d+)-([a-z0-9]+)$/.exec(name) ?? [];
  if (sessionId === undefined || container === undefined) return undefined;
  return { sessionId, generation: Number(generation), container };
}

/** A container's secret and network policy live and die with its pod, and are found by its name. */
export const secretName = (ref: ContainerRef): string => podName(ref);
export const networkPolicyName = (ref: ContainerRef): string => podName(ref);

/** One for all containers of a generation. */
export const serviceName = (ref: Pick<ContainerRef, 'sessionId' | 'generation'>): string => `berth-${ref.sessionId}-g${ref.generation}`;

/** Storages outlive sessions; installations share namespaces. */
export const claimName = (instance: string, storage: string): string => `berth-${instance.slice(0, 8)}-${storage}`;

/** The installation's labels on what belongs to a container. */
export const labelsOf = (spec: Pick<ContainerSpec, 'ref' | 'owner' | 'project'>, instance: string): Record<string, string> => ({
  ...labelsOfRef(spec.ref, instance),
  [LABEL.owner]: labelValue(spec.owner),
  [LABEL.project]: labelValue(spec.project),
});

/** These pick out one container. */
export const labelsOfRef = (ref: ContainerRef, instance: string): Record<string, string> => ({
  [LABEL.instance]: instance,
  [LABEL.session]: ref.sessionId,
  [LABEL.generation]: String(ref.generation),
  [LABEL.container]: ref.container,
});

/** A label selector in the API's form. */
export const selectorOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** At most 63 letters, digits, "-", "_" and ".", of which the first and the last are letters or digits; or nothing. */
export const labelValue = (text: string): string =>
  text
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63)
    .replace(/[^A-Za-z0-9]+$/, '');

/** As labels are, but lower case and without dots; `session` where nothing is left. */
export function hostNameOf(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return name === '' ? 'session' : name;
}
