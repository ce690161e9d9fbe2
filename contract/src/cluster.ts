import { z } from 'zod';

export const MAX_CLUSTER_SIZE = 64;

export const ClusterSize = z.number().int('a number of containers is whole').min(1).max(MAX_CLUSTER_SIZE);
export const ClusterMode = z.enum(['single-node', 'multi-node']);

/** Which container of a session is meant: what there is not is answered with what there is. */
export const ContainerName = z.string().min(1).max(64);

export const SessionContainer = z.object({
  name: z.string().meta({ description: 'main1, sub1, sub2, …: also its host name among the others, where there are others' }),
  role: z.enum(['main', 'sub']),
  node: z.string().nullable(),
  state: z
    .enum(['waiting', 'running', 'frozen', 'ended', 'silent'])
    .meta({ description: 'As last seen; "waiting": it has not been started yet, "silent": its node tells nothing' }),
  exitCode: z.number().int().nullable(),
  reason: z.string().nullable().meta({ description: 'Why it does not run while the session does' }),
});
export type SessionContainer = z.output<typeof SessionContainer>;
