import type { ContainerRef } from './runtime.ts';

/** On every container of ours, whatever runs it: whose it is. */
export const IDENTITY = {
  instance: 'berth.instance',
  session: 'berth.session',
  generation: 'berth.generation',
  container: 'berth.container',
  owner: 'berth.owner',
  project: 'berth.project',
} as const;

type Labels = Readonly<Record<string, string | undefined>> | null | undefined;

/** Undefined for what does not belong to a session's container of this installation. */
export function refOf(labels: Labels, instance: string): ContainerRef | undefined {
  const sessionId = labels?.[IDENTITY.session];
  const container = labels?.[IDENTITY.container];
  const generation = Number(labels?.[IDENTITY.generation]);
  if (labels?.[IDENTITY.instance] !== instance || sessionId === undefined || container === undefined || !Number.isInteger(generation))
    return undefined;
  return { sessionId, generation, container };
}
