import { z } from 'zod';
import { parseDuration } from './quantity.ts';
import { parsedWith } from './session.ts';

const RunId = z.string().min(1).max(64);
const Command = z.string().max(131_072).nullable().optional();

/** How long one answer may take to come. */
const LONGEST_WAIT_MS = 2000;

export const RunCode = z.strictObject({
  mode: z.enum(['query', 'batch', 'input', 'continue']).default('query').meta({
    description:
      '"query" runs code, with the variables of what ran before; "batch" runs shell commands; "input" answers what code asked for; "continue" asks how a run goes on',
  }),
  code: z.string().max(1_000_000).default('').meta({ description: 'The code of a query, or the input' }),
  runId: RunId.nullable().default(null).meta({
    description: 'Of a new run: null, or an id of your own, with which a repeated request runs nothing twice; else the run meant',
  }),
  options: z
    .strictObject({ clean: Command, build: Command, exec: Command })
    .default({})
    .meta({ description: 'Of a batch: shell commands, run in this order; "*" is the usual one, null or "" leaves it out' }),
  timeout: parsedWith(parseDuration)
    .optional()
    .meta({ description: 'Of a new run: interrupted when it takes longer, and ended when it does not heed that' }),
  waitMs: z
    .number()
    .int()
    .min(0)
    .max(LONGEST_WAIT_MS)
    .default(LONGEST_WAIT_MS)
    .meta({ description: 'Answered after so many milliseconds also where there is nothing new' }),
});
export type RunCodeInput = z.input<typeof RunCode>;

export const RUN_STATUSES = ['continued', 'waiting-input', 'clean-finished', 'build-finished', 'finished', 'exec-timeout', 'lost'] as const;

export const Run = z.object({
  runId: z.string(),
  status: z.enum(RUN_STATUSES).meta({
    description:
      'finished, exec-timeout and lost are the end; after the others ask again with "continue", or with "input" where it is waited for. lost: the session ended or was started again under it, or its end was told before',
  }),
  exitCode: z.number().int().nullable().meta({ description: 'Null until it, or a step of it, has ended. 127: the build failed' }),
  raised: z.boolean().meta({ description: 'The code ended with an exception; its exit code is 0 all the same' }),
  isPassword: z.boolean().meta({ description: 'The input that it waits for should not be shown' }),
  console: z.array(z.object({ stream: z.enum(['stdout', 'stderr']), text: z.string() })).meta({
    description: 'What it printed since the last answer, in order; at most 524288 characters of each stream, the rest comes next',
  }),
});
export type Run = z.output<typeof Run>;

export const InterruptRun = z.strictObject({
  runId: RunId.nullable().default(null).meta({ description: 'Null: whichever goes on now' }),
});

export const CompleteCode = z.strictObject({
  line: z.string().max(10_000).meta({ description: 'What stands before the cursor in its line' }),
});
export const Completions = z.object({ completions: z.array(z.string()) });
