import { ProblemError, startingInstant, type CreateSession } from '@berth/contract';
import { normalArchitecture } from '../images/architecture.ts';
import type { ImageFacts } from '../images/image-facts.ts';
import { imageLimits, unfitFor, withImageMinimum } from '../images/image-limits.ts';
import { parseImageReference } from '../images/reference.ts';
import type { OutgoingRules } from '../network/outgoing-rules.ts';
import { neverFits } from '../scheduling/explain.ts';
import type { NodeCapacity } from '../scheduling/node-directory.ts';
import { slotsOf } from '../scheduling/slots.ts';
import { planMounts, type WantedMount } from '../storages/plan-mounts.ts';
import { homeFolder } from '../storages/session-mounts.ts';
import { clusterOf } from './container-plan.ts';
import { refuseDoublePorts } from './service-ports.ts';
import type { NewSession } from './session-store.ts';
import type { Session, SessionSpec } from './session.ts';

export interface DraftContext {
  readonly id: string;
  readonly owner: { readonly id: string; readonly name: string };
  readonly project: { readonly id: string };
  readonly defaultImage: string;
  readonly capacities: readonly NodeCapacity[];
  readonly orchestrates: boolean;
  readonly now: Date;
  /** What the request's `dependencies` name, each of them. */
  readonly dependencies: readonly Session[];
  /** The storages that the request's `mounts` name, each of them. */
  readonly mounts: readonly WantedMount[];
  /** What its image says of itself, where that is known before it is pulled. */
  readonly image?: ImageFacts | undefined;
  /** As SessionSpec has it. */
  readonly serverEnv?: Readonly<Record<string, string>>;
  /** Whom this server may be made to ask. */
  readonly outgoing: OutgoingRules;
  /** sha256 of the request as it came, hex. */
  readonly requestHash: string;
}

/** Engines refuse less; the smallest container that does anything needs about this much. */
const MIN_MEMORY_BYTES = 6 * 1024 ** 2;

/** A checked request, defaults filled in, ready to be stored. Throws ProblemError for what can never work. */
export function draftSession(input: CreateSession, context: DraftContext): NewSession {
  const spec = sizedFor(context.image, specOf(input, context));
  refuseContradictions(input, spec);
  refuseDoublePorts(input.ports);
  refuseBatchOnly(input);
  refuseEndless(context.dependencies);
  refuseInwardCallback(input, context);
  refuseImpossible(spec, context);
  return {
    id: context.id,
    name: input.name ?? `session-${context.id.replaceAll('-', '').slice(-8)}`,
    ownerId: context.owner.id,
    projectId: context.project.id,
    type: input.type,
    spec,
    tag: input.tag ?? null,
    startsAt: input.startsAt === undefined ? null : startingInstant(input.startsAt, context.now),
    dependencies: context.dependencies.map(({ id }) => id),
    batchTimeoutMs: input.batchTimeout || null,
    retry: input.retry,
    callbackUrl: input.callbackUrl ?? null,
    clientToken: input.clientToken ?? null,
    requestHash: context.requestHash,
  };
}

function specOf(input: CreateSession, context: DraftContext): SessionSpec {
  const { resources } = input;
  return {
    image: parseImageReference(input.image ?? context.defaultImage),
    pull: input.pull,
    command: input.command,
    keepEntrypoint: input.keepEntrypoint,
    tty: input.tty,
    stdin: input.stdin,
    env: input.env,
    cpu: resources.cpu ?? null,
    gpu: resources.gpu ?? 0,
    memoryBytes: resources.memory ?? null,
    sharedMemoryBytes: resources.sharedMemory ?? null,
    node: input.node ?? null,
    egress: input.egress,
    port: input.port ?? null,
    workDir: input.workDir ?? null,
    pendingTimeoutMs: input.pendingTimeout ?? null,
    mounts: planMounts(context.mounts, homeFolder(context.owner.name)),
    ...(input.clusterSize > 1 && { cluster: { size: input.clusterSize, mode: input.clusterMode } }),
    ...(context.serverEnv !== undefined && { serverEnv: context.serverEnv }),
    ports: input.ports,
    ...(isScript(input.bootstrapScript) && { bootstrapScript: input.bootstrapScript }),
    ...(input.architecture !== undefined && { architecture: normalArchitecture(input.architecture) }),
  };
}

const isScript = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';

/** What nobody asked for is what the image needs at least; what somebody did must suit it. */
function sizedFor(image: ImageFacts | undefined, spec: SessionSpec): SessionSpec {
  if (image === undefined) return spec;
  const limits = imageLimits(image.labels);
  const sized = withImageMinimum(spec, limits);
  const unfit = unfitFor(sized, limits);
  if (unfit === undefined) return sized;
  throw new ProblemError('invalid-field', `${unfit.cause.message}. ${unfit.cause.remedy}`, { field: `resources.${unfit.slot}` });
}

function refuseContradictions(input: CreateSession, spec: SessionSpec): void {
  const refuse = (field: string, detail: string): never => {
    throw new ProblemError('invalid-field', detail, { field });
  };
  if (input.type === 'batch' && (input.tty || input.stdin !== 'closed'))
    refuse('type', 'a batch session has no terminal and no input: leave out "tty" and "stdin"');
  if (input.type === 'batch' && input.command.length === 0) refuse('command', 'a batch session needs a command to run');
  if (input.tty && input.stdin === 'once')
    refuse('stdin', 'input that ends with its client ("once") does not go with a terminal: use "open"');
  const reserved = Object.keys(input.env).find((name) => name.startsWith('BERTH_'));
  if (reserved !== undefined) refuse('env', `"${reserved}": variables that begin with BERTH_ are Berth's own; choose another name`);
  if (input.keepEntrypoint && spec.bootstrapScript !== undefined)
    refuse('bootstrapScript', "it would not run before the image's entry point: give the command instead of keeping the entry point");
  const shared = input.resources.sharedMemory;
  if (shared !== undefined && input.resources.memory !== undefined && shared >= input.resources.memory)
    refuse(
      'resources.sharedMemory',
      `${shared} bytes of shared memory are part of the ${input.resources.memory} bytes of memory: ask for less`,
    );
  if (spec.memoryBytes !== null && spec.memoryBytes < MIN_MEMORY_BYTES)
    refuse('resources.memory', `${spec.memoryBytes} bytes of memory are too few for any container: ask for at least 6MiB`);
}

function refuseBatchOnly(input: CreateSession): void {
  if (input.type === 'batch') return;
  const asked = { startsAt: input.startsAt !== undefined, batchTimeout: input.batchTimeout !== undefined, retry: input.retry };
  const field = Object.entries(asked).find(([, isAsked]) => isAsked)?.[0];
  if (field !== undefined)
    throw new ProblemError('invalid-field', `"${field}" is for batch sessions: leave it out, or make the session one of type "batch"`, {
      field,
    });
}

/** What its name stands for is seen when it is called: it may change until then. */
function refuseInwardCallback({ callbackUrl }: CreateSession, { outgoing }: DraftContext): void {
  const refusal = callbackUrl === undefined ? undefined : outgoing.refusalOf(new URL(callbackUrl).hostname);
  if (refusal !== undefined) throw new ProblemError('invalid-field', `callbackUrl: ${refusal}`, { field: 'callbackUrl' });
}

/** Only what runs a command to its end can succeed. */
function refuseEndless(dependencies: readonly Session[]): void {
  const endless = dependencies.find(({ type }) => type !== 'batch');
  if (endless === undefined) return;
  const detail = `"${endless.name}" is an interactive session, which never succeeds: name batch sessions only`;
  throw new ProblemError('invalid-field', detail, { field: 'dependencies' });
}

/** A cluster may grow: there, what nobody can run now waits, and says for what. */
function refuseImpossible(spec: SessionSpec, { capacities, orchestrates }: Pick<DraftContext, 'capacities' | 'orchestrates'>): void {
  if (orchestrates) return;
  if (capacities.length > 0 && capacities.every((node) => !node.reachable)) {
    throw new ProblemError('engine-unavailable', capacities.map((node) => node.reason).join('; '));
  }
  const candidates = spec.node === null ? capacities : capacities.filter((node) => node.name === spec.node);
  if (spec.node !== null && capacities.length > 0 && candidates.length === 0) {
    throw new ProblemError(
      'invalid-field',
      `"${spec.node}" is no node of this installation; there is ${capacities.map((node) => node.name).join(', ')}`,
      { field: 'node' },
    );
  }
  const reason = neverFits(slotsOf(spec), candidates, clusterOf(spec));
  if (reason !== undefined) throw new ProblemError('never-fits', reason, { field: 'resources' });
}
