import { z } from 'zod';

export const MAX_MOUNTS = 32;

/** What is asked for. */
export const MountRequest = z.strictObject({
  storage: z.string().min(1).max(128).meta({ description: 'A storage of yours, by name or id' }),
  target: z.string().min(1).max(1024).optional().meta({ description: 'The folder inside, an absolute path; default: /work/NAME' }),
  readOnly: z.boolean().default(false),
});
export type MountRequest = z.output<typeof MountRequest>;

/** A storage as a session has it. */
export const Mount = z.object({
  storage: z.object({ id: z.string(), name: z.string() }),
  target: z.string(),
  readOnly: z.boolean(),
});
