import { z } from 'zod';

/** What somebody may call an image of her own: no host, no folders, no digest. */
export const CommitName = z
  .string()
  .max(192)
  .regex(
    /^(?=[^:]{1,64}(?::|$))[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$/,
    'an image of your own is named NAME or NAME:TAG: a name is 1 to 64 of a-z and 0-9, with single ".", "_" or "-" inside, and has no "/"',
  );

export const CommitSession = z.strictObject({
  image: CommitName.meta({ description: 'NAME[:TAG]; the image is then docker://localhost/berth/USER/NAME:TAG' }),
});

/** The latest image that was asked for of a session's files. */
export const SessionCommit = z.object({
  id: z.string(),
  image: z.string().meta({ description: 'What to start sessions from: docker://REF' }),
  state: z.enum(['working', 'done', 'failed']),
  message: z.string().meta({ description: 'How far it is; why it failed and what to do' }),
  digest: z.string().nullable().meta({ description: "The image's id on its engine, once it is there" }),
  askedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});
export type SessionCommit = z.output<typeof SessionCommit>;
