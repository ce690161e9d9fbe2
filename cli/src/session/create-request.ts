import { CreateSession, inWords, type CreateSessionInput } from '@berth/contract';
import { randomUUID } from 'node:crypto';
import { Failure } from '../failure.ts';
import { parseMount } from './parse-mount.ts';
import { parseService } from './parse-service.ts';
import { readScript } from './read-script.ts';

/** The flags of `session create`, as commander hands them over. */
export interface CreateFlags {
  readonly name?: string;
  readonly image?: string;
  readonly pull?: string;
  readonly cpus?: string;
  readonly gpus?: string;
  readonly memory?: string;
  readonly sharedMemory?: string;
  readonly clusterSize?: string;
  readonly clusterMode?: string;
  readonly env: readonly string[];
  readonly mount: readonly string[];
  readonly node?: string;
  readonly egress?: string;
  readonly port?: string;
  readonly expose: readonly string[];
  readonly bootstrap?: string;
  readonly architecture?: string;
  readonly workdir?: string;
  readonly project?: string;
  readonly timeout?: string;
  readonly tag?: string;
  readonly callbackUrl?: string;
  readonly after: readonly string[];
  readonly startsAt?: string;
  readonly maxRunTime?: string;
  readonly retry?: true;
  readonly batch?: true;
  readonly detach?: true;
  readonly keepEntrypoint?: true;
  readonly tty?: boolean;
}

interface Surroundings {
  readonly command: readonly string[];
  /** Nobody stays: no terminal, no input. */
  readonly detached: boolean;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
}

/** What is asked of the server: flags, and what stdin and stdout are. */
export function createRequest(flags: CreateFlags, around: Surroundings): CreateSessionInput {
  const request = {
    clientToken: randomUUID(),
    ...pick({ name: flags.name, project: flags.project, image: flags.image, pull: flags.pull, node: flags.node }),
    ...pick({ egress: flags.egress, port: numeric(flags.port), workDir: flags.workdir, pendingTimeout: flags.timeout }),
    ...pick({ tag: flags.tag, startsAt: flags.startsAt, batchTimeout: flags.maxRunTime, retry: flags.retry }),
    ...pick({ callbackUrl: flags.callbackUrl }),
    dependencies: [...flags.after],
    mounts: flags.mount.map(parseMount),
    ports: flags.expose.map(parseService),
    ...pick({ architecture: flags.architecture, bootstrapScript: flags.bootstrap === undefined ? undefined : readScript(flags.bootstrap) }),
    ...pick({ clusterSize: numeric(flags.clusterSize), clusterMode: flags.clusterMode }),
    type: flags.batch ? 'batch' : 'interactive',
    command: [...around.command],
    keepEntrypoint: flags.keepEntrypoint === true,
    ...terminalOf(flags, around),
    env: environmentOf(flags.env),
    resources: pick({ cpu: flags.cpus, gpu: numeric(flags.gpus), memory: flags.memory, sharedMemory: flags.sharedMemory }),
  };
  const checked = CreateSession.safeParse(request, { error: inWords });
  if (checked.success) return request as CreateSessionInput;
  const [issue] = checked.error.issues;
  const [first = '', second] = (issue?.path ?? []).map(String);
  const offending = issue?.code === 'invalid_key' ? second : valueAt(request, issue?.path ?? []);
  throw new Failure('usage', `${FLAGS[second ?? first] ?? FLAGS[first] ?? first}: ${explain(issue?.message ?? '', offending)}`);
}

/** What the schema calls a field, and what its flag is called. */
const FLAGS: Readonly<Record<string, string>> = {
  name: '--name',
  project: '--project',
  image: '--image',
  pull: '--pull',
  node: '--node',
  egress: '--egress',
  port: '--port',
  workDir: '--workdir',
  pendingTimeout: '--timeout',
  tag: '--tag',
  startsAt: '--starts-at',
  callbackUrl: '--callback-url',
  dependencies: '--after',
  mounts: '--mount',
  ports: '--expose',
  architecture: '--architecture',
  clusterSize: '--cluster-size',
  clusterMode: '--cluster-mode',
  batchTimeout: '--max-run-time',
  retry: '--retry',
  command: 'the command',
  env: '--env',
  cpu: '--cpus',
  gpu: '--gpus',
  memory: '--memory',
  sharedMemory: '--shared-memory',
};

function explain(message: string, value: unknown): string {
  const shown = typeof value === 'string' || typeof value === 'number' ? `"${value}"` : undefined;
  return shown === undefined || message.includes(shown) ? message : `${shown} cannot be used: ${message}`;
}

function valueAt(request: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined), request);
}

const pick = <T extends Record<string, unknown>>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;

/** What is no number stays as it is, for the schema to name it. */
const numeric = (text: string | undefined): number | string | undefined =>
  text !== undefined && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;

/** A shell that nobody is attached to needs its terminal all the same: someone will attach. */
function terminalOf(flags: CreateFlags, { command, detached, stdinIsTerminal, stdoutIsTerminal }: Surroundings) {
  if (flags.batch) return { tty: false, stdin: 'closed' } as const;
  const tty = flags.tty ?? (detached ? command.length === 0 : stdinIsTerminal && stdoutIsTerminal);
  if (tty) return { tty, stdin: 'open' } as const;
  if (detached) return { tty, stdin: 'closed' } as const;
  // A terminal's keys are only taken from it where something is there to read them: a job in the background would be stopped.
  return { tty, stdin: stdinIsTerminal && command.length > 0 ? 'closed' : 'once' } as const;
}

function environmentOf(assignments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    assignments.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)] as const;
      throw new Failure('usage', `--env: "${text}" names no value: write it like NAME=VALUE`);
    }),
  );
}
