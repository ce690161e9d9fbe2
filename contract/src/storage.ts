import { z } from 'zod';
import { SessionName } from './session.ts';

const Named = z.object({ id: z.string(), name: z.string() });

/** A named folder that outlives sessions. */
export const Storage = z.object({
  id: z.string(),
  name: z.string(),
  owner: Named,
  project: Named,
  state: z.enum(['ready', 'deleting']).meta({ description: 'One that is being deleted has given its name back already' }),
  reason: z.string().meta({ description: 'What keeps one that is being deleted from going, in words; else empty' }),
  mountedBy: z.array(Named).meta({ description: 'Live sessions that have it, paused ones too' }),
  createdAt: z.iso.datetime(),
});
export type Storage = z.output<typeof Storage>;

export const CreateStorage = z.strictObject({
  clientToken: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .meta({ description: 'Repeating a create with the same token answers the same storage' }),
  name: SessionName,
  project: z.string().min(1).max(128).optional().meta({ description: 'Name or id; default: your own project' }),
});
