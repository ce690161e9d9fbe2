import { z } from 'zod';

const Instant = z.iso.datetime();
const Amount = z.number().int().min(0).nullable();

/** What a session has used, over all its restarts. Null: nobody counts it where it runs. */
export const Statistics = z.object({
  at: Instant.meta({ description: 'When this was counted' }),
  cpuMs: Amount.meta({ description: 'CPU time, in milliseconds of one CPU' }),
  memoryBytes: Amount.meta({ description: 'Memory in use then, without what the kernel can drop at once' }),
  memoryMaxBytes: Amount.meta({ description: 'The most memory it was seen to use' }),
  networkReceivedBytes: Amount,
  networkSentBytes: Amount,
  blockReadBytes: Amount.meta({ description: 'Read from disks; what came from the page cache is not counted' }),
  blockWrittenBytes: Amount,
});
export type Statistics = z.output<typeof Statistics>;

/** `live`: counted for this answer; else what was counted last. */
export const SessionStatistics = z.object({ id: z.string(), name: z.string(), live: z.boolean(), statistics: Statistics.nullable() });
export type SessionStatistics = z.output<typeof SessionStatistics>;
