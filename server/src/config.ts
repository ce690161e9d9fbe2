import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { inWords, ProblemError, parseBytes, parseDuration, type Parsed } from '@berth/contract';
import { labels, namespace, nodePools, storageSource } from './cluster-settings.ts';
import { parseImageReference } from './domain/images/reference.ts';
import { isOutgoingTarget } from './domain/network/outgoing-rules.ts';
import { QUEUE_ORDERS } from './domain/scheduling/order.ts';

/** A configuration that cannot be used, in a sentence that names the setting, its source and the remedy. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const text = z.union([z.string(), z.number()]).transform(String);
const parsed = (parse: (value: string) => Parsed<number>) =>
  text.transform((value, context): number => {
    const result = parse(value);
    if (result.ok) return result.value;
    context.addIssue({ code: 'custom', message: result.message });
    return z.NEVER;
  });
const list = z.union([
  z.array(z.string()),
  z.string().transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ),
]);
const address = text.refine(
  (value) => /^(?:\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i.test(value) && Number(value.split(':').at(-1)) <= 65_535,
  'write HOST:PORT, such as 127.0.0.1:4280',
);
const networks = list.refine(
  (values) => values.every(isNetwork),
  'write IPv4 addresses or ranges, such as 192.168.7.0/24, separated by commas',
);
const range = text.refine(isNetwork, 'write an IPv4 range, such as 10.213.0.0/16');
const image = text.refine(isImage, 'write docker://NAME[:TAG]');

interface Setting<T extends z.ZodType> {
  readonly env: string;
  readonly schema: T;
  readonly fallback: z.input<T> | undefined;
  readonly help: string;
}
const setting = <T extends z.ZodType>(env: string, schema: T, fallback: z.input<T> | undefined, help: string): Setting<T> => ({
  env,
  schema,
  fallback,
  help,
});

const isRoot = process.getuid?.() === 0;

/** Every setting: its name in the file, its environment variable, its default and what it means. The environment wins over the file. */
export const SETTINGS = {
  data: setting('BERTH_DATA', text, isRoot ? '/var/lib/berth' : join(homedir(), '.local/share/berth'), 'Data folder'),
  listen: setting('BERTH_LISTEN', address, '127.0.0.1:4280', 'Address of the API'),
  allowedHosts: setting('BERTH_ALLOWED_HOSTS', list, '', 'Host names under which the API may be addressed, besides loopback'),
  databaseUrl: setting('DATABASE_URL', text.optional(), undefined, 'PostgreSQL to use; without it Berth runs its own'),
  runtime: setting(
    'BERTH_RUNTIME',
    z.enum(['docker', 'kubernetes'], 'write docker (Docker or Podman) or kubernetes'),
    'docker',
    'What runs containers',
  ),
  dockerHost: setting(
    'DOCKER_HOST',
    text.optional(),
    undefined,
    "The engine; without it Docker's and then Podman's usual sockets are tried",
  ),
  addressRange: setting('BERTH_ADDRESS_RANGE', range, '10.213.0.0/16', "Each session's network is a /28 of this"),
  egressAllow: setting('BERTH_EGRESS_ALLOW', networks, '', 'Private addresses or ranges that sessions may reach besides the Internet'),
  kubeconfig: setting('KUBECONFIG', text.optional(), undefined, 'How to reach the cluster; without it the one this server runs in'),
  kubernetesNamespace: setting('BERTH_KUBERNETES_NAMESPACE', namespace, 'berth-sessions', 'Namespace of the sessions'),
  kubernetesStorage: setting(
    'BERTH_KUBERNETES_STORAGE',
    storageSource,
    'none',
    'Where homes live: class[:NAME[:SIZE[:ACCESS]]], claim:NAME, host-path:/PATH, nfs:SERVER:/PATH or none',
  ),
  kubernetesReach: setting(
    'BERTH_KUBERNETES_REACH',
    z.enum(['auto', 'pod', 'tunnel'], 'write auto, pod or tunnel'),
    'auto',
    'How ports of sessions are reached: by the address of the pod, or through the API server',
  ),
  kubernetesGpuResource: setting('BERTH_KUBERNETES_GPU_RESOURCE', text, 'nvidia.com/gpu', 'Name under which the cluster counts GPUs'),
  kubernetesPools: setting('BERTH_KUBERNETES_POOLS', nodePools, [], 'Node pools, as a list in the file or as JSON'),
  kubernetesGateway: setting(
    'BERTH_KUBERNETES_GATEWAY',
    labels,
    '',
    'Labels (NAME=VALUE, separated by commas) of the pods whose connections a session takes',
  ),
  kubernetesGatewayNamespace: setting(
    'BERTH_KUBERNETES_GATEWAY_NAMESPACE',
    labels,
    '',
    'Labels of the namespace they are in; without them that of the sessions',
  ),
  kubernetesRanges: setting('BERTH_KUBERNETES_RANGES', networks, '', 'Networks of pods, services and nodes that are no private ones'),
  kubernetesDns: setting(
    'BERTH_KUBERNETES_DNS',
    networks,
    '',
    "Address of the cluster's resolver where no pod is labelled k8s-app=kube-dns",
  ),
  nodeName: setting('BERTH_NODE_NAME', text, hostname(), 'Name of this node'),
  nodeCpus: setting('BERTH_NODE_CPUS', z.coerce.number().positive().optional(), undefined, 'CPUs to hand out; default: all the engine has'),
  nodeMemory: setting('BERTH_NODE_MEMORY', parsed(parseBytes).optional(), undefined, 'Memory to hand out; default: all the engine has'),
  nodeDevices: setting('BERTH_NODE_DEVICES', list, '', 'Ids of the GPUs to hand out'),
  defaultImage: setting('BERTH_DEFAULT_IMAGE', image, 'docker://berth/base', 'Image of a session that names none'),
  unreservedMemoryShare: setting(
    'BERTH_UNRESERVED_MEMORY_SHARE',
    z.coerce.number().gt(0).max(1),
    0.5,
    "Share of a node's memory a session without a reservation may use",
  ),
  scheduler: setting(
    'BERTH_SCHEDULER',
    z.enum(QUEUE_ORDERS, `write ${QUEUE_ORDERS.join(', ')}`),
    'fifo',
    'Who gets a place first: fifo (later ones that fit are let through), strict-fifo, lifo, or drf (who holds the smallest share)',
  ),
  maxSessionsPerUser: setting(
    'BERTH_MAX_SESSIONS_PER_USER',
    z.coerce.number().int('a number of sessions is whole').min(0),
    0,
    'How many sessions of one user may be at work at a time; more wait. 0: as many as fit',
  ),
  callbackAllow: setting(
    'BERTH_CALLBACK_ALLOW',
    list.refine((values) => values.every(isOutgoingTarget), 'write host names, addresses or ranges, such as hooks.internal,10.1.0.0/16'),
    '',
    'Internal hosts and ranges that callbacks of sessions may go to, besides the Internet',
  ),
  freezeFor: setting('BERTH_FREEZE_FOR', parsed(parseDuration), '30m', 'How long a paused session keeps its memory'),
  pendingTimeout: setting('BERTH_PENDING_TIMEOUT', parsed(parseDuration), '24h', 'How long a session waits for room'),
  readyTimeout: setting(
    'BERTH_READY_TIMEOUT',
    parsed(parseDuration),
    '10m',
    'How long a bootstrap script may run, and after it a declared port may take to answer',
  ),
  nodeLostAfter: setting(
    'BERTH_NODE_LOST_AFTER',
    parsed(parseDuration),
    '5m',
    'How long a node of a cluster may be silent before its sessions are given up',
  ),
  stopGrace: setting('BERTH_STOP_GRACE', parsed(parseDuration), '10s', 'Time a process has to end before it is killed'),
  sweepEvery: setting('BERTH_SWEEP_EVERY', parsed(parseDuration), '1m', 'How often the engine is compared with the table'),
  quarantineStopAfter: setting(
    'BERTH_QUARANTINE_STOP_AFTER',
    parsed(parseDuration),
    '10m',
    'When a container of ours that no session knows is stopped',
  ),
  quarantineRemoveAfter: setting('BERTH_QUARANTINE_REMOVE_AFTER', parsed(parseDuration), '1d', 'When it is removed'),
  imageCache: setting('BERTH_IMAGE_CACHE', text.optional(), undefined, 'Where built-in images are cached between builds'),
  logLevel: setting('BERTH_LOG_LEVEL', z.enum(['debug', 'info', 'warn', 'error', 'silent']), 'info', 'How much is logged'),
} satisfies Record<string, Setting<z.ZodType>>;

export type SettingName = keyof typeof SETTINGS;
export type Config = { readonly [K in SettingName]: z.output<(typeof SETTINGS)[K]['schema']> };
export interface Shown {
  readonly name: string;
  readonly value: unknown;
  readonly source: string;
  readonly help: string;
}

/** Reads file, environment and defaults. Throws ConfigError for an unreadable file, an unknown setting or a bad value. */
export function loadConfig(options: { file?: string; env: NodeJS.ProcessEnv }): {
  readonly config: Config;
  readonly shown: readonly Shown[];
} {
  const file = options.file === undefined ? {} : readFile(options.file);
  const values: Record<string, unknown> = {};
  const shown: Shown[] = [];
  for (const [name, { env, schema, fallback, help }] of Object.entries(SETTINGS)) {
    const fromEnv = options.env[env];
    const source = fromEnv !== undefined && fromEnv !== '' ? `environment ${env}` : name in file ? `file ${options.file}` : 'default';
    const raw = source.startsWith('environment') ? fromEnv : (file[name] ?? fallback);
    const checked = schema.safeParse(raw, { error: inWords });
    if (!checked.success) {
      throw new ConfigError(
        `${name} (${source}): ${JSON.stringify(raw)} cannot be used: ${checked.error.issues.map((issue) => issue.message).join('; ')}`,
      );
    }
    values[name] = checked.data;
    shown.push({ name, value: name === 'databaseUrl' ? maskPassword(checked.data) : checked.data, source, help });
  }
  return { config: values as Config, shown };
}

function readFile(path: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    throw new ConfigError(`the configuration file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new ConfigError(`the configuration file ${path} must hold names and values`);
  const unknown = Object.keys(content).filter((name) => !(name in SETTINGS));
  if (unknown.length > 0)
    throw new ConfigError(
      `${path} sets ${unknown.join(', ')}, which ${unknown.length === 1 ? 'is no setting' : 'are no settings'}; berth config show lists them all`,
    );
  return content as Record<string, unknown>;
}

function isNetwork(value: string): boolean {
  const [ip = '', bits = '32', ...more] = value.split('/');
  return isIPv4(ip) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32 && more.length === 0;
}

function isImage(value: string): boolean {
  try {
    parseImageReference(value);
    return true;
  } catch (error) {
    if (error instanceof ProblemError) return false;
    throw error;
  }
}

const maskPassword = (url: unknown): unknown => (typeof url === 'string' ? url.replace(/:\/\/([^:/@]+):[^@]*@/, '://$1:…@') : url);
