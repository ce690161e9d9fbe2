import { CreateSession, MAX_CLUSTER_SIZE, ProblemError, type CreateSessionInput } from '@berth/contract';
import { createHash } from 'node:crypto';
import { compare, formatDecimal, parseByteSize, toNumber, type Decimal } from '../../domain/scheduling/decimal.ts';
import { draftSession } from '../../domain/sessions/draft.ts';
import type { NewSession } from '../../domain/sessions/session-store.ts';
import type { Session } from '../../domain/sessions/session.ts';
import type { WantedMount } from '../../domain/storages/plan-mounts.ts';
import type { User } from '../../domain/users/user-store.ts';
import { check } from '../check.ts';
import { findDependencies } from '../find-dependencies.ts';
import { findMounts } from '../find-mounts.ts';
import { knownImage } from '../known-image.ts';
import type { HttpParts } from '../parts.ts';
import type { CreateParameters } from './create-parameters.ts';
import { findGroup } from './find-group.ts';
import { noSuchFolder } from './folder-page.ts';
import { kernelEnvironment } from './kernel-environment.ts';
import { preopened } from './preopen-ports.ts';
import { Refusal } from './refusal.ts';
import { parseSlots, type Slots } from './resource-slots.ts';

const DEFAULT_SHARED_MEMORY = '64m';
/** What the contract still takes as a number; more than this no machine has. */
const MOST = { cpu: 100_000, gpu: 1024, bytes: Number.MAX_SAFE_INTEGER };

/** Their create in Berth's words, ready to be stored. Checks in the order of real servers: it decides which error wins. */
export async function draftFor(
  parts: HttpParts,
  asked: CreateParameters,
  { owner, caller, accessKey }: { owner: User; caller: User; accessKey: string },
): Promise<NewSession> {
  refuseBadBatch(asked);
  refuseTooManyContainers(asked);
  const project = await projectFor(parts, asked, owner);
  const node = nodeFor(asked, caller);
  const input: CreateSessionInput = {
    type: asked.sessionType,
    image: asked.image,
    ...(asked.sessionType === 'batch'
      ? {
          command: ['sh', '-c', asked.startupCommand ?? ''],
          ...(asked.batchTimeout !== undefined && { batchTimeout: seconds(asked.batchTimeout) }),
        }
      : { tty: true, stdin: 'open' as const }),
    env: asked.config.environ,
    resources: resourcesOf(asked),
    clusterSize: asked.clusterSize,
    clusterMode: asked.clusterMode,
    ...(asked.tag !== undefined && { tag: asked.tag }),
    ...(asked.startsAt !== undefined && { startsAt: asked.startsAt }),
    ...(asked.callbackUrl && { callbackUrl: asked.callbackUrl }),
    ...(node !== undefined && { node }),
    ...(asked.bootstrapScript !== undefined && { bootstrapScript: asked.bootstrapScript }),
    ...(asked.architecture && { architecture: asked.architecture }),
    ports: preopened(asked.config.preopenPorts),
    dependencies: asked.dependencies,
  };
  // Their names are freer than those of Berth's own command line.
  const body = { ...check(CreateSession, input), name: asked.clientSessionToken };
  return draftSession(body, {
    id: parts.newId(),
    now: parts.now(),
    owner,
    project,
    dependencies: await dependenciesOf(parts, asked, owner),
    mounts: await mountsOf(parts, asked, owner),
    image: await knownImage(parts.runtime, { image: asked.image, node, pull: body.pull }),
    defaultImage: parts.defaultImage,
    capacities: parts.nodes.capacities(),
    orchestrates: parts.runtime.orchestrates,
    outgoing: parts.outgoing,
    serverEnv: kernelEnvironment(accessKey),
    requestHash: createHash('sha256').update(JSON.stringify(asked)).digest('hex'),
  });
}

function refuseBadBatch({ sessionType, startupCommand = '', startsAt }: CreateParameters): void {
  if (sessionType === 'batch' && startupCommand.trim() === '')
    throw new Refusal('invalid-api-params', 'a batch session needs a startupCommand that is not empty');
  if (sessionType === 'interactive' && startsAt !== undefined)
    throw new Refusal('invalid-api-params', 'startsAt is for batch sessions: leave it out, or ask for sessionType "batch"');
}

function refuseTooManyContainers({ clusterSize }: CreateParameters): void {
  if (clusterSize <= MAX_CLUSTER_SIZE) return;
  throw new Refusal(
    'quota-exceeded',
    `${clusterSize} containers (clusterSize) are more than a session may have here: at most ${MAX_CLUSTER_SIZE}`,
  );
}

async function projectFor(
  parts: HttpParts,
  { domain, group, config }: CreateParameters,
  owner: User,
): Promise<{ id: string; name: string }> {
  if (domain !== owner.domain)
    throw new Refusal('invalid-api-params', `there is no domain "${domain}" that you are in: yours is "${owner.domain}"`, {
      title: 'Invalid domain',
    });
  const project = await findGroup(parts, group, owner.id);
  if (project === undefined)
    throw new Refusal('invalid-api-params', `there is no group "${group}" that you are a member of: "default" is your own project`, {
      title: 'Invalid group',
    });
  const { scalingGroup = 'default' } = config;
  if (scalingGroup !== 'default')
    throw new Refusal('object-not-found', `there is no scaling group "${scalingGroup}": this server has one, "default"`, {
      title: 'No such scaling group.',
    });
  return project;
}

function nodeFor({ config: { agentList } }: CreateParameters, caller: User): string | undefined {
  if (agentList.length === 0) return undefined;
  if (caller.role !== 'admin') throw new Refusal('insufficient-privilege', 'agentList: only administrators choose the node of a session');
  if (agentList.length > 1)
    throw new Refusal(
      'invalid-api-params',
      'agentList: name one node; on which nodes the containers of a multi-node session run is decided here',
    );
  return agentList[0];
}

function resourcesOf(asked: CreateParameters): NonNullable<CreateSessionInput['resources']> {
  const slots = slotsOf(asked);
  const { mem } = slots;
  const shared = sharedMemoryOf(asked, mem);
  refuseMoreThanAnyHas(slots);
  return {
    ...(slots.cpu && { cpu: formatDecimal(slots.cpu) }),
    ...(mem && { memory: formatDecimal(mem) }),
    ...(slots['cuda.device'] && { gpu: toNumber(slots['cuda.device']) }),
    ...(shared !== undefined && { sharedMemory: formatDecimal(shared) }),
  };
}

/** Undefined: as much as Berth gives. Who asks for little memory and says nothing of /dev/shm gets less of that than is usual. */
function sharedMemoryOf({ config }: CreateParameters, mem: Decimal | undefined): Decimal | undefined {
  const { shmem } = config.resourceOpts;
  const shared = parseByteSize(String(shmem ?? DEFAULT_SHARED_MEMORY));
  if (!shared.ok) throw invalid(`resource_opts.shmem: ${shared.message}`);
  const tooMuch = mem !== undefined && compare(shared.value, mem) >= 0;
  if (tooMuch && shmem !== undefined)
    throw invalid(`shmem (${formatDecimal(shared.value)} bytes) must be less than mem (${formatDecimal(mem)} bytes)`);
  return tooMuch || shared.value.digits === 0n ? undefined : shared.value;
}

/** `resources`, or what clients of long ago sent instead; their memory is in GiB. */
function slotsOf({ config }: CreateParameters): Slots {
  const { instanceCores, instanceMemory, instanceGPUs } = config;
  const legacy = {
    ...(instanceCores !== undefined && { cpu: instanceCores }),
    ...(instanceMemory !== undefined && { mem: `${instanceMemory}g` }),
    ...(instanceGPUs !== undefined && { 'cuda.device': instanceGPUs }),
  };
  const parsed = parseSlots(config.resources ?? legacy);
  if (!parsed.ok) throw invalid(parsed.message);
  return parsed.value;
}

function refuseMoreThanAnyHas(slots: Slots): void {
  const { cpu, mem, 'cuda.device': gpu } = slots;
  const tooMuch = (cpu && toNumber(cpu) > MOST.cpu) || (mem && toNumber(mem) > MOST.bytes) || (gpu && toNumber(gpu) > MOST.gpu);
  if (tooMuch === true) throw new ProblemError('never-fits', 'no node could ever hold this: ask for less', { field: 'resources' });
}

async function dependenciesOf(parts: HttpParts, { dependencies }: CreateParameters, owner: User): Promise<readonly Session[]> {
  const found = dependencies.map(async (text) => {
    try {
      return await findDependencies(parts.sessions, owner.id, [text]);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      throw new Refusal('invalid-api-params', error.message, {
        title: 'Unknown session ID or name in the dependency list',
        data: { session_ref: text },
      });
    }
  });
  return (await Promise.all(found)).flat();
}

async function mountsOf(parts: HttpParts, { mounts }: CreateParameters, owner: User): Promise<readonly WantedMount[]> {
  try {
    return await findMounts(parts.storages, owner.id, mounts);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'not-found') throw error;
    throw noSuchFolder(error.message, error);
  }
}

const seconds = (timeout: string | number): string => (/^\d+(\.\d+)?$/.test(String(timeout)) ? `${timeout}s` : String(timeout));
const invalid = (message: string): Refusal => new Refusal('invalid-api-params', message, { data: { resources: message } });
