import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerInspectInfo } from 'dockerode';
import { RuntimeError, type ContainerRef, type ContainerSpec } from '../runtime.ts';
import { toCreateOptions, type Surroundings } from './container-spec.ts';
import type { EngineClient } from './engine-client.ts';
import type { EngineFacts } from './engine-facts.ts';
import { EngineRefusal } from './errors.ts';
import { containerName, LABEL, networkName } from './names.ts';
import { refOf } from '../container-labels.ts';
import type { SessionNetworks } from './networks.ts';
import { hasEnded, lacksInit, wasStarted } from './observe.ts';
import { imageGone } from './throw-aways.ts';

const CHANGE_TIMEOUT_MS = 120_000;
const NAME_RESERVED_MS = 3000;

interface Settings {
  readonly engine: EngineClient;
  readonly instance: string;
  readonly networks: SessionNetworks;
  readonly facts: () => Promise<EngineFacts>;
}

/** Towards what is wanted, one container at a time. What is already so is success. */
export class Containers {
  readonly #engine: EngineClient;
  readonly #instance: string;
  readonly #networks: SessionNetworks;
  readonly #facts: () => Promise<EngineFacts>;
  /** A start failed for lack of the init program: containers are made without from then on. */
  #initMissing = false;

  constructor(settings: Settings) {
    this.#engine = settings.engine;
    this.#instance = settings.instance;
    this.#networks = settings.networks;
    this.#facts = settings.facts;
  }

  get initMissing(): boolean {
    return this.#initMissing;
  }

  /** Undefined also for one of that name which is not ours. */
  async find(ref: ContainerRef): Promise<ContainerInspectInfo | undefined> {
    const container = await this.#engine.find('engine.container-inspect', (docker) => docker.getContainer(containerName(ref)).inspect());
    return refOf(container?.Config.Labels, this.#instance) === undefined ? undefined : container;
  }

  async present(ref: ContainerRef): Promise<ContainerInspectInfo> {
    const container = await this.find(ref);
    if (container === undefined) throw lost();
    return container;
  }

  /** One that exists already is adopted: names are unique, and a crashed server may have made it. */
  async create(spec: ContainerSpec, around: Omit<Surroundings, 'init'>): Promise<void> {
    const init = !this.#initMissing;
    try {
      await this.#engine.call(
        'engine.container-create',
        (docker) => docker.createContainer(toCreateOptions(spec, { ...around, init })),
        CHANGE_TIMEOUT_MS,
      );
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (await this.#appears(spec.ref, error.status === 409 ? NAME_RESERVED_MS : 0)) return;
      if (error.status === 404 && !(await this.#hasImage(spec.imageDigest))) throw imageGone(spec.imageDigest, error);
      if (!init || (await this.#facts()).initFailsAt !== 'create') throw error;
      await this.#createWithoutInit(spec, around);
    }
  }

  /** An engine reserves a name before it shows the container: another server may be making it just now. */
  async #appears(ref: ContainerRef, withinMs: number): Promise<boolean> {
    for (const deadline = Date.now() + withinMs; ; await delay(50)) {
      const container = await this.find(ref);
      if (container !== undefined && container.State.Status !== 'removing') return true;
      if (Date.now() >= deadline) return false;
    }
  }

  /** Whether the init program was what was missing shows in that it works without. */
  async #createWithoutInit(spec: ContainerSpec, around: Omit<Surroundings, 'init'>): Promise<void> {
    this.#initMissing = true;
    try {
      await this.create(spec, around);
    } catch (error) {
      this.#initMissing = false;
      throw error;
    }
  }

  async #hasImage(digest: string): Promise<boolean> {
    return (await this.#engine.find('engine.image-inspect', (docker) => docker.getImage(digest).inspect())) !== undefined;
  }

  async start(ref: ContainerRef): Promise<void> {
    try {
      await this.#start(ref);
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (error.status === 304) return;
      await this.#afterFailedStart(ref, error);
    }
  }

  /** An engine may die between the start and its answer: sent again it could run a command twice. The next look tells what came of it. */
  #start(ref: ContainerRef): Promise<unknown> {
    return this.#engine.callAnew('engine.container-start', (docker) => docker.getContainer(containerName(ref)).start(), CHANGE_TIMEOUT_MS);
  }

  /** Returns where the start can be called done: it runs by now, or inspect tells why it never will. */
  async #afterFailedStart(ref: ContainerRef, refusal: EngineRefusal): Promise<void> {
    const container = await this.find(ref);
    if (container === undefined) throw lost(refusal);
    if (container.State.Status === 'running') return;
    if (container.State.Status === 'paused') return this.thaw(ref);
    if (hasEnded(container) && !wasStarted(container)) return;
    if (await this.renewNetwork(ref, container)) {
      await this.#start(ref);
      return;
    }
    if (lacksInit(container) && (await this.#facts()).initFailsAt === 'start') {
      // Made anew without it at the next look: nothing has run in it yet.
      this.#initMissing = true;
      await this.remove(ref);
    }
    throw startFailed(refusal);
  }

  /** Somebody removed the container's network, or took it out of it. False: nothing was wrong. */
  async renewNetwork(ref: ContainerRef, container: ContainerInspectInfo): Promise<boolean> {
    const name = networkName(ref.sessionId);
    const joined = container.NetworkSettings.Networks[name];
    const network = await this.#engine.find('engine.network-inspect', (docker) => docker.getNetwork(name).inspect());
    // Podman gives the name for the id; Docker none before the first start.
    if (network !== undefined && joined !== undefined && ['', name, network.Id].includes(joined.NetworkID)) return false;
    const { [LABEL.egress]: egress, [LABEL.containers]: containers = '1' } = container.Config.Labels;
    await this.#networks.ensure(ref.sessionId, egress === 'none' ? 'none' : 'open', Number(containers));
    // Out of a network that is gone: refused where the container was never in it, and connecting shows what counts.
    await this.#unless([404, 500], () =>
      this.#engine.call('engine.network-create', (docker) =>
        docker.getNetwork(name).disconnect({ Container: containerName(ref), Force: true }),
      ),
    );
    await this.#engine.call('engine.network-create', (docker) =>
      docker.getNetwork(name).connect({ Container: containerName(ref), EndpointConfig: { Aliases: [ref.container] } }),
    );
    return true;
  }

  async stop(ref: ContainerRef, graceSeconds: number): Promise<void> {
    const container = await this.find(ref);
    if (container === undefined || hasEnded(container) || container.State.Status === 'created') return;
    if (container.State.Status === 'paused') await this.thaw(ref);
    await this.#unless([304, 404], () =>
      this.#engine.call(
        'engine.container-stop',
        (docker) => docker.getContainer(containerName(ref)).stop({ t: graceSeconds }),
        graceSeconds * 1000 + CHANGE_TIMEOUT_MS,
      ),
    );
  }

  /** Answers the id of what was removed. */
  async remove(ref: ContainerRef): Promise<string | undefined> {
    const container = await this.find(ref);
    if (container === undefined) return undefined;
    await this.#unless([404, 409], () =>
      this.#engine.call(
        'engine.container-remove',
        (docker) => docker.getContainer(containerName(ref)).remove({ force: true, v: true }),
        CHANGE_TIMEOUT_MS,
      ),
    );
    await this.#untilGone(ref);
    return container.Id;
  }

  /** 409 says that a removal is under way, a container may be `dead` meanwhile. */
  async #untilGone(ref: ContainerRef): Promise<void> {
    for (let pause = 10; pause < 10_000; pause *= 2) {
      if ((await this.find(ref)) === undefined) return;
      await delay(pause);
    }
    throw new RuntimeError('retry', {
      code: 'rejected',
      message: `the engine has not finished removing ${containerName(ref)}`,
      remedy: 'It is tried again.',
    });
  }

  async freeze(ref: ContainerRef): Promise<void> {
    await this.#towards(ref, 'paused', () =>
      this.#engine.call('engine.container-pause', (docker) => docker.getContainer(containerName(ref)).pause()),
    );
  }

  async thaw(ref: ContainerRef): Promise<void> {
    await this.#towards(ref, 'running', () =>
      this.#engine.call('engine.container-unpause', (docker) => docker.getContainer(containerName(ref)).unpause()),
    );
  }

  /** Engines refuse to do what is done, each in its own words. */
  async #towards(ref: ContainerRef, status: string, change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      const container = await this.find(ref);
      if (container === undefined) throw lost(error);
      if (container.State.Status !== status) throw error;
    }
  }

  async #unless(statuses: readonly number[], request: () => Promise<unknown>): Promise<void> {
    try {
      await request();
    } catch (error) {
      if (!(error instanceof EngineRefusal) || !statuses.includes(error.status)) throw error;
    }
  }
}

const lost = (cause?: unknown): RuntimeError =>
  new RuntimeError(
    'retry',
    { code: 'container-lost', message: 'the engine has no container of this session', remedy: 'Start the session again.' },
    { cause },
  );

const startFailed = (refusal: EngineRefusal): RuntimeError =>
  new RuntimeError(
    'retry',
    {
      ...refusal.failure,
      code: refusal.failure.code === 'disk-full' ? 'disk-full' : 'start-failed',
      message: `the container could not be started: ${refusal.said}`,
    },
    { cause: refusal },
  );
