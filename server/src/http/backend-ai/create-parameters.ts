import { LONGEST_BOOTSTRAP_SCRIPT } from '@berth/contract';
import { z } from 'zod';
import { check } from '../check.ts';
import { askedMounts, type AskedMount } from './asked-mounts.ts';
import { canonical, Flag, WholeNumber, type Parameters } from './parameters.ts';

/** Paths below /session that a session of that name would hide. */
const RESERVED: ReadonlySet<string> = new Set(['create', 'create-cluster', 'create-from-template', 'from-template']);

export const SessionToken = z
  .string()
  .regex(
    /^(?=.{4,64}$)\w[\w.-]*\w$/,
    'a session name is 4 to 64 of letters, digits, "_", "-" and ".", beginning and ending with a letter, digit or "_"',
  )
  .refine((name) => !RESERVED.has(name), 'the name is reserved: choose another');

const Slot = z.union([z.string().max(64), z.number()]);
const TextList = z.union([
  z.array(z.string().max(512)).max(64),
  z
    .string()
    .max(512)
    .transform((one) => [one]),
]);

const CONFIG_ALIASES = {
  mountMap: ['mount_map'],
  mountOptions: ['mount_options'],
  resourceOpts: ['resource_opts'],
  scalingGroup: ['scaling_group'],
  preopenPorts: ['preopen_ports'],
  agentList: ['agent_list'],
  clusterSize: ['cluster_size'],
} as const;

const Config = z.object({
  mounts: TextList.default([]),
  mountMap: z.record(z.string(), z.string()).default({}),
  mountOptions: z.record(z.string(), z.object({ permission: z.string().nullish() })).default({}),
  environ: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
  resources: z.record(z.string(), Slot).optional(),
  resourceOpts: z.object({ shmem: Slot.optional() }).default({}),
  scalingGroup: z.string().max(64).optional(),
  preopenPorts: z
    .array(WholeNumber.pipe(z.number().min(1024).max(65_535)))
    .max(64)
    .default([]),
  agentList: TextList.default([]),
  clusterSize: WholeNumber.optional(),
  instanceCores: Slot.optional(),
  instanceMemory: Slot.optional(),
  instanceGPUs: Slot.optional(),
});

const ALIASES = {
  image: ['lang'],
  clientSessionToken: ['name', 'session_name'],
  architecture: ['arch'],
  sessionType: ['type', 'session_type'],
  group: ['groupName', 'group_name'],
  domain: ['domainName', 'domain_name'],
  clusterSize: ['cluster_size'],
  clusterMode: ['cluster_mode'],
  enqueueOnly: ['enqueue_only'],
  maxWaitSeconds: ['max_wait_seconds'],
  reuseIfExists: ['reuse'],
  startsAt: ['starts_at'],
  startupCommand: ['startup_command'],
  bootstrapScript: ['bootstrap_script'],
  callbackUrl: ['callback_url', 'callbackURL'],
  batchTimeout: ['batch_timeout'],
} as const;

/** Of a request to create, its aliases made one. */
export const CreateRequest = z.object({
  image: z.string().min(1).max(512),
  clientSessionToken: SessionToken,
  architecture: z.string().max(32).optional(),
  sessionType: z.enum(['interactive', 'batch']).default('interactive'),
  group: z.string().max(128).default('default'),
  domain: z.string().max(128).default('default'),
  clusterSize: WholeNumber.pipe(z.number().min(1).max(1024)).default(1),
  clusterMode: z.enum(['single-node', 'multi-node']).default('single-node'),
  tag: z.string().max(64).optional(),
  enqueueOnly: Flag.default(false),
  maxWaitSeconds: WholeNumber.pipe(z.number().min(0)).default(0),
  reuseIfExists: Flag.default(true),
  startsAt: z.string().max(128).optional(),
  startupCommand: z.string().max(65_536).optional(),
  bootstrapScript: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= LONGEST_BOOTSTRAP_SCRIPT, 'a bootstrap script is at most 16 KiB long')
    .optional(),
  dependencies: TextList.default([]),
  callbackUrl: z.string().max(2048).optional(),
  batchTimeout: Slot.optional(),
  config: Config.prefault({}),
});
export type CreateParameters = z.output<typeof CreateRequest> & { readonly mounts: readonly AskedMount[] };

/** Every spelling that clients use; what nobody knows here is ignored, newer clients send newer things. */
export function readCreateParameters(parameters: Parameters): CreateParameters {
  const root = canonical(parameters, ALIASES);
  const config = isObject(root['config']) ? canonical(root['config'], CONFIG_ALIASES) : root['config'];
  const inConfig = isObject(config) ? config['clusterSize'] : undefined;
  const clusterSize = root['clusterSize'] ?? inConfig;
  const asked = check(CreateRequest, {
    ...root,
    ...(config === undefined ? {} : { config }),
    ...(clusterSize === undefined ? {} : { clusterSize }),
  });
  return { ...asked, mounts: askedMounts(asked.config) };
}

const isObject = (value: unknown): value is Parameters => typeof value === 'object' && value !== null && !Array.isArray(value);
