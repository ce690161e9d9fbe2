import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { ContainerRef } from '../runtime.ts';
import { IDENTITY } from '../container-labels.ts';

/** On everything we make: `instance`. On a session's containers all but `throwAway`; on helpers of a moment `throwAway`. */
export const LABEL = {
  ...IDENTITY,
  egress: 'berth.egress',
  /** How many containers its session has, where there are several. */
  containers: 'berth.containers',
  /** Its command comes after a bootstrap script. */
  bootstrap: 'berth.bootstrap',
  throwAway: 'berth.throwaway',
  /** Of a throw-away: the server that uses it. */
  server: 'berth.server',
} as const;

/** Tells a server from the others that use the same engine; one that is started again is the same, and knows what it left behind. */
export const serverMark = (host: string, dataFolder: string): string =>
  createHash('sha256')
    .update(`${host} ${resolve(dataFolder)}`)
    .digest('hex')
    .slice(0, 12);

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
