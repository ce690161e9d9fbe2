import { createHash } from 'node:crypto';
import type { ContainerRef } from '../runtime.ts';

/** On everything we make: `instance`. On a session's containers all but `throwAway`; on helpers of a moment `throwAway`. */
export const LABEL = {
  instance: 'berth.instance',
  session: 'berth.session',
  generation: 'berth.generation',
  container: 'berth.container',
  owner: 'berth.owner',
  project: 'berth.project',
  egress: 'berth.egress',
  throwAway: 'berth.throwaway',
} as const;

/** The engine lets no two containers share a name: that is our guard against duplicates. */
export const containerName = (ref: ContainerRef): string => `berth-${ref.sessionId}-g${ref.generation}-${ref.container}`;

/** One for all containers and generations of a session. */
export const networkName = (sessionId: string): string => `berth-${sessionId}`;

/**
 * Docker looks for a network's name in use before it makes one, but not in one step; a bridge's name it guards. At most 15
 * characters, as the kernel wants it.
 */
export const bridgeOfSession = (sessionId: string): string => `bth${createHash('sha256').update(sessionId).digest('hex').slice(0, 12)}`;

/** Podman guards the network's name itself, and its CNI keeps a firewall rule for every bridge name it ever saw: few serve for all. */
export const bridgeOfSubnet = ({ base }: { readonly base: number }): string => `bth${base.toString(16)}`;

export const volumeName = (instance: string, storage: string): string => `berth-${instance.slice(0, 8)}-${storage}`;

type Labels = Readonly<Record<string, string | undefined>> | null | undefined;

/** Undefined for what is not a session's container of this installation. */
export function refOf(labels: Labels, instance: string): ContainerRef | undefined {
  const sessionId = labels?.[LABEL.session];
  const container = labels?.[LABEL.container];
  const generation = Number(labels?.[LABEL.generation]);
  if (labels?.[LABEL.instance] !== instance || sessionId === undefined || container === undefined || !Number.isInteger(generation))
    return undefined;
  return { sessionId, generation, container };
}
