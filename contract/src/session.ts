import { z } from 'zod';
import { parseCallbackUrl } from './callback-url.ts';
import { ClusterMode, ClusterSize, SessionContainer } from './cluster.ts';
import { SessionCommit } from './commit.ts';
import { MAX_MOUNTS, Mount, MountRequest } from './mount.ts';
import { parseBytes, parseCpus, parseDuration, type Parsed } from './quantity.ts';
import { ServicePort } from './service-port.ts';
import { parseStartsAt } from './starts-at.ts';
import { Statistics } from './statistics.ts';

/** DESIGN's words; `spec` pages that use others are translated in their compatibility folders. */
export const SESSION_STATES = [
  'pending',
  'scheduled',
  'pulling',
  'preparing',
  'running',
  'pausing',
  'paused',
  'restarting',
  'terminating',
  'terminated',
  'cancelled',
  'error',
] as const;
export const SessionState = z.enum(SESSION_STATES);
export const FINAL_STATES = ['terminated', 'cancelled', 'error'] as const;

export const parsedWith = <T>(parse: (text: string) => Parsed<T>) =>
  z.union([z.string().max(64), z.number()]).transform((value, context): T => {
    const parsed = parse(String(value));
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.message });
    return z.NEVER;
  });

export const SessionName = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{2,62}[a-z0-9])$/, 'a name is 4 to 64 of a-z, 0-9 and "-", begins with a letter and does not end with "-"');

const CallbackUrl = z
  .string()
  .max(2048)
  .transform((text, context): string => {
    const parsed = parseCallbackUrl(text);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.message });
    return z.NEVER;
  });

/** "none" and 0 are no limit. */
const parseRunTime = (text: string): Parsed<number> => (text === 'none' || text === '0' ? { ok: true, value: 0 } : parseDuration(text));

const EnvName = z
  .string()
  .max(256)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable is named with letters, digits and "_", not beginning with a digit');
const noNul = (text: string): boolean => !text.includes('\0');

/** Bytes of UTF-8. */
export const LONGEST_BOOTSTRAP_SCRIPT = 16 * 1024;
const BootstrapScript = z
  .string()
  .refine((text) => new TextEncoder().encode(text).length <= LONGEST_BOOTSTRAP_SCRIPT, 'a bootstrap script is at most 16 KiB long')
  .refine(noNul, 'a script holds no NUL');

export const Resources = z.strictObject({
  cpu: parsedWith(parseCpus).optional().meta({ description: 'CPUs to reserve, to the thousandth: 2, "0.5", "500m"' }),
  gpu: z.number().int('a number of GPUs is whole').min(0).max(1024).optional(),
  memory: parsedWith(parseBytes).optional().meta({ description: 'Memory to reserve: "2.5GiB"; a bare number is bytes' }),
  sharedMemory: parsedWith(parseBytes).optional().meta({ description: 'Size of /dev/shm' }),
});

export const CreateSession = z.strictObject({
  clientToken: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .meta({ description: 'Repeating a create with the same token answers the same session' }),
  name: SessionName.optional(),
  project: z.string().min(1).max(128).optional().meta({ description: 'Name or id; default: your own project' }),
  type: z.enum(['interactive', 'batch']).default('interactive'),
  image: z.string().min(1).max(512).optional().meta({ description: 'docker://REF; default: what the installation configures' }),
  pull: z.enum(['always', 'missing', 'never']).default('missing'),
  command: z
    .array(z.string().max(131_072).refine(noNul, 'an argument holds no NUL'))
    .max(1024)
    .default([])
    .meta({ description: "Replaces the image's entry point and command; empty: a login shell" }),
  keepEntrypoint: z.boolean().default(false).meta({ description: "Hand `command` to the image's entry point instead of replacing it" }),
  tty: z.boolean().default(false),
  stdin: z
    .enum(['closed', 'open', 'once'])
    .default('closed')
    .meta({ description: '"open" outlives its clients; "once" ends with the first client\'s input' }),
  env: z.record(EnvName, z.string().max(32_768).refine(noNul, 'a value holds no NUL')).default({}),
  resources: Resources.default({}),
  clusterSize: ClusterSize.default(1).meta({
    description: 'How many containers: main1, which runs the command, and sub1, sub2, … beside it, each with these resources',
  }),
  clusterMode: ClusterMode.default('single-node').meta({ description: 'All containers on one node, or each wherever there is room' }),
  mounts: z.array(MountRequest).max(MAX_MOUNTS).default([]),
  node: z.string().min(1).max(253).optional(),
  egress: z.enum(['open', 'none']).default('open'),
  port: z.number().int().min(1).max(65_535).optional().meta({ description: 'Running means: this port answers' }),
  ports: z.array(ServicePort).max(64).default([]).meta({ description: 'Services in it, by name: ports that may be asked for later' }),
  workDir: z.string().startsWith('/', 'a work folder is an absolute path').max(1024).optional(),
  bootstrapScript: BootstrapScript.optional().meta({
    description:
      'Run in its work folder, as its user, whenever its container starts and before its command does: at most 16 KiB. By sh, unless its first line names another interpreter. Never shown again',
  }),
  architecture: z
    .string()
    .min(1)
    .max(32)
    .optional()
    .meta({ description: 'Of the machine: x86_64 (amd64), aarch64 (arm64), ...; without it any' }),
  pendingTimeout: parsedWith(parseDuration).optional(),
  tag: z.string().max(64).optional().meta({ description: 'A word of your own, shown with the session' }),
  startsAt: parsedWith(parseStartsAt)
    .optional()
    .meta({ description: 'Batch only. ISO 8601 (without a zone: UTC), or how long from now: "5m", "1d 2h", 300 (seconds)' }),
  dependencies: z
    .array(z.string().min(1).max(128))
    .max(100)
    .default([])
    .meta({ description: 'Batch sessions of yours, by name or id: it starts when all have succeeded, and is cancelled when one has not' }),
  batchTimeout: parsedWith(parseRunTime)
    .optional()
    .meta({ description: 'Batch only: ended when its command runs longer; "none" or 0: no limit' }),
  callbackUrl: CallbackUrl.optional().meta({ description: 'http or https: told of each step of its life, see docs/callbacks.md' }),
  retry: z.boolean().default(false).meta({ description: 'Batch only: run the command again when the engine was restarted under it' }),
});
export type CreateSession = z.output<typeof CreateSession>;
export type CreateSessionInput = z.input<typeof CreateSession>;

const Instant = z.iso.datetime().meta({ description: 'RFC 3339, UTC' });
const Named = z.object({ id: z.string(), name: z.string() });

export const FAILURE_CODES = [
  'out-of-memory',
  'image-not-found',
  'image-denied',
  'image-unreachable',
  'image-invalid',
  'wrong-platform',
  'command-not-found',
  'not-executable',
  'no-shell',
  'bootstrap-failed',
  'port-never-answered',
  'start-failed',
  'node-lost',
  'evicted',
  'container-lost',
  'engine-restarted',
  'disk-full',
  'timed-out',
  'dependency-failed',
  'unschedulable',
  'resources-unfit',
  'engine-unavailable',
  'rejected',
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

export const Cause = z.object({
  code: z.enum(FAILURE_CODES),
  message: z.string().meta({ description: 'What happened, in a sentence' }),
  remedy: z.string().meta({ description: 'What to do about it' }),
});
export type Cause = z.output<typeof Cause>;

export const LaunchStep = z.object({
  step: z.enum(['queue', 'image', 'storage', 'create', 'start', 'bootstrap', 'ready']),
  startedAt: Instant,
  endedAt: Instant.nullable(),
  detail: z.string().nullable().meta({ description: 'Progress: "layer 3 of 7, 120MiB of 340MiB"' }),
});
export type LaunchStep = z.output<typeof LaunchStep>;

/** What may keep a session waiting besides room on the nodes. */
export const HOLD_RULES = ['starts-at', 'dependencies', 'session-limit'] as const;
const Hold = z.object({ rule: z.enum(HOLD_RULES), reason: z.string() });
export type Hold = z.output<typeof Hold>;

export const Waiting = z.object({
  position: z.number().int().meta({ description: 'Place in the queue, from 1' }),
  of: z.number().int(),
  reasons: z.array(z.object({ node: z.string(), reason: z.string() })).meta({ description: 'Why no node takes it, node by node' }),
  holds: z.array(Hold).optional().meta({ description: 'What else keeps it waiting' }),
});

export const BatchResult = z.enum(['success', 'failure']);
export type BatchResult = z.output<typeof BatchResult>;

const Callback = z.object({
  url: z.string().meta({ description: 'For others than its owner: without path and query' }),
  lastStatus: z.number().int().nullable().meta({ description: 'HTTP status of the last answer; null: none yet, or there was none' }),
  lastProblem: z.string().nullable().meta({ description: 'Why the last one was not delivered' }),
  lastAt: Instant.nullable(),
  failures: z.number().int().meta({ description: 'How many were not delivered' }),
});

export const Session = z.object({
  id: z.string(),
  name: z.string(),
  project: Named,
  owner: Named,
  type: z.enum(['interactive', 'batch']),
  tag: z.string().nullable(),
  state: SessionState,
  stateSince: Instant,
  reason: z.string().meta({ description: 'Why it is in this state, in words' }),
  wanted: z.enum(['running', 'paused', 'terminated']),
  frozen: z.boolean(),
  image: z.object({ reference: z.string(), digest: z.string().nullable() }),
  command: z.array(z.string()),
  tty: z.boolean(),
  stdin: z.enum(['closed', 'open', 'once']),
  resources: z.object({
    cpu: z.number().nullable(),
    gpu: z.number().int(),
    memoryBytes: z.number().int().nullable(),
    sharedMemoryBytes: z.number().int().nullable(),
    reserved: z.boolean().meta({ description: 'false: may be killed when the node runs out of memory' }),
    devices: z.array(z.string()),
  }),
  mounts: z.array(Mount).meta({ description: 'Storages besides the home' }),
  clusterSize: ClusterSize,
  clusterMode: ClusterMode,
  containers: z.array(SessionContainer).meta({ description: 'main1 first; resources are those of each' }),
  degraded: z.boolean().meta({ description: 'It runs without one of its containers; `reason` says which. A restart brings it back' }),
  node: z.string().nullable().meta({ description: 'Of main1' }),
  egress: z.enum(['open', 'none']),
  port: z.number().int().nullable(),
  servicePorts: z
    .array(ServicePort)
    .meta({ description: 'Services in it: those that were asked for, and those that its image declares once that is known' }),
  bootstrap: z.boolean().meta({ description: 'A bootstrap script runs before its command, whenever its container starts' }),
  architecture: z.string().nullable().meta({ description: 'The architecture that was asked for' }),
  startsAt: Instant.nullable().meta({ description: 'It does not start before' }),
  dependencies: z
    .array(z.object({ id: z.string(), name: z.string(), state: SessionState, result: BatchResult.nullable() }))
    .meta({ description: 'It does not start before these have succeeded' }),
  batchTimeoutMs: z.number().nullable(),
  retry: z.boolean(),
  result: BatchResult.nullable().meta({ description: 'Of a batch session that ran and has ended' }),
  generation: z.number().int(),
  restarts: z.number().int(),
  waiting: Waiting.nullable(),
  timeline: z.array(LaunchStep),
  exitCode: z.number().int().nullable(),
  cause: Cause.nullable(),
  lastLog: z.array(z.string()).meta({ description: 'The last lines it printed, kept when it ends' }),
  statistics: Statistics.nullable().meta({ description: 'As last counted, and kept when it ends; null before it ran. Live: /statistics' }),
  commit: SessionCommit.nullable(),
  callback: Callback.nullable().meta({ description: 'Who is told of what happens to it, and how that went' }),
  createdAt: Instant,
  startedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
  willStopAt: Instant.nullable().meta({ description: 'When a frozen session will be stopped to give its memory back' }),
});
export type Session = z.output<typeof Session>;

export const SessionEvent = z.object({
  id: z.string().meta({ description: 'Resume with Last-Event-ID' }),
  sessionId: z.string(),
  at: Instant,
  kind: z.enum(['created', 'requested', 'state', 'progress', 'waiting', 'notice']),
  state: SessionState,
  message: z.string(),
});
export type SessionEvent = z.output<typeof SessionEvent>;

export const ListSessions = z.object({
  all: z.stringbool().default(false).meta({ description: 'Ended sessions too' }),
  state: z.string().optional().meta({ description: 'One or more states, separated by commas' }),
  owner: z.string().optional().meta({ description: 'A user, by name or id, or "*" for everybody (admins); default: yourself' }),
  project: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(256).optional(),
});

export const RenameSession = z.strictObject({ name: SessionName });
