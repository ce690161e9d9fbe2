import { hostname } from 'node:os';
import type { ContainerInspectInfo } from 'dockerode';
import type { BuiltinImageMaker } from '../../domain/images/builtin.ts';
import {
  RuntimeError,
  type ContainerRef,
  type ContainerSpec,
  type ExecRequest,
  type Freezable,
  type ImageRequest,
  type ImageState,
  type LogChunk,
  type LogOptions,
  type NodeFacts,
  type Observed,
  type Runtime,
  type StorageRef,
  type Terminal,
} from '../runtime.ts';
import { toCreateOptions } from './container-spec.ts';
import { parseEngineAddress } from './engine-address.ts';
import { EngineClient } from './engine-client.ts';
import { askEngine, type EngineFacts } from './engine-facts.ts';
import { EngineRefusal } from './errors.ts';
import { gatherEvidence } from './evidence.ts';
import { attachTo } from './attach-session.ts';
import { execIn } from './exec-session.ts';
import { logsOf } from './log-stream.ts';
import { Firewall } from './firewall.ts';
import { openFilesLimit } from './host-limits.ts';
import { Images } from './images.ts';
import { containerName, LABEL, networkName, refOf } from './names.ts';
import { BridgeNetworks, type SessionNetworks } from './networks.ts';
import { hasEnded, observe } from './observe.ts';
import { Storages } from './storages.ts';
import { imageGone, ThrowAways } from './throw-aways.ts';
import { UserMapping } from './user-mapping.ts';
import { watchEvents } from './watch-events.ts';

export interface DockerRuntimeOptions {
  /** As DOCKER_HOST: `unix:///var/run/docker.sock`, `tcp://host:2376`, `ssh://user@host`, or a socket's path. */
  readonly url: string;
  /** Identity of this installation, a uuid: what carries another one is not ours. */
  readonly instance: string;
  readonly dataFolder: string;
  /** Each session gets a /28 of it. Default: 10.213.0.0/16. */
  readonly addressRange?: string;
  /** Networks and addresses that sessions reach besides the Internet. */
  readonly egressAllow?: readonly string[];
  readonly nodeName?: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** Declared GPU ids, for accounting. */
  readonly devices?: readonly string[];
  readonly builtinImages: BuiltinImageMaker;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;
}

/** Nothing is asked of the engine yet: it may be down when the server starts. */
export const connectDocker = (options: DockerRuntimeOptions): DockerRuntime => new DockerRuntime(options);

const CHANGE_TIMEOUT_MS = 120_000;
const LEFTOVER_AFTER_MS = 120_000;
const INSPECTIONS_AT_ONCE = 8;

/** Docker 20.10 or newer, or Podman 4.3 or newer, over the Docker Engine API. One engine is one node. */
export class DockerRuntime implements Runtime, Freezable {
  readonly kind = 'docker';
  readonly #options: DockerRuntimeOptions;
  readonly #engine: EngineClient;
  readonly #networks: SessionNetworks;
  readonly #throwAways: ThrowAways;
  readonly #storages: Storages;
  readonly #users: UserMapping;
  readonly #images: Images;
  readonly #firewall: Firewall;
  #facts: Promise<EngineFacts> | undefined;
  /** A start failed for lack of the init program: containers are made without from then on. */
  #initMissing = false;

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    const { instance, dataFolder, addressRange = '10.213.0.0/16', egressAllow = [] } = options;
    const engine = new EngineClient(parseEngineAddress(options.url));
    this.#engine = engine;
    this.#throwAways = new ThrowAways(engine, instance);
    this.#networks = new BridgeNetworks({ engine, instance, addressRange, local: async () => (await this.#known()).local });
    this.#storages = new Storages({ engine, throwAways: this.#throwAways, instance });
    this.#users = new UserMapping({ engine, throwAways: this.#throwAways, dataFolder });
    this.#images = new Images({
      engine,
      builtinImages: options.builtinImages,
      architecture: async () => (await this.#known()).architecture,
    });
    this.#firewall = new Firewall({ instance, addressRange, egressAllow });
  }

  ensureImage(request: ImageRequest): Promise<ImageState> {
    return this.#images.ensure(request);
  }

  ensureStorage(_node: string, storage: StorageRef, imageDigest: string): Promise<void> {
    return this.#storages.ensure(storage, imageDigest);
  }

  async create(spec: ContainerSpec): Promise<void> {
    const facts = await this.#known();
    const mounted = facts.local && !facts.selinux;
    const [network, userFiles] = await Promise.all([
      this.#networks.ensure(spec.ref.sessionId, spec.egress),
      mounted ? this.#users.paths(spec.imageDigest, spec.user) : null,
    ]);
    const around = {
      instance: this.#options.instance,
      kind: facts.kind,
      network,
      userFiles,
      nvidia: facts.nvidia,
      init: !this.#initMissing,
      cpus: facts.cpus,
      openFiles: facts.local && facts.kind === 'docker' ? openFilesLimit() : null,
    };
    await this.#createOrAdopt(spec, around);
    if (!mounted) await this.#users.copyInto(containerName(spec.ref), spec.imageDigest, spec.user);
  }

  async #createOrAdopt(spec: ContainerSpec, around: Parameters<typeof toCreateOptions>[1]): Promise<void> {
    try {
      await this.#engine.call(
        'engine.container-create',
        (docker) => docker.createContainer(toCreateOptions(spec, around)),
        CHANGE_TIMEOUT_MS,
      );
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      const existing = await this.#find(spec.ref);
      if (existing !== undefined && existing.State.Status !== 'removing') return;
      if (error.status === 404 && !(await this.#hasImage(spec.imageDigest))) throw imageGone(spec.imageDigest, error);
      if (around.init && (await this.#known()).init === 'unsure') {
        this.#initMissing = true;
        return this.#createOrAdopt(spec, { ...around, init: false });
      }
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

  #start(ref: ContainerRef): Promise<unknown> {
    return this.#engine.call('engine.container-start', (docker) => docker.getContainer(containerName(ref)).start(), CHANGE_TIMEOUT_MS);
  }

  /** Returns where the start can be called done: it runs by now, or inspect tells why it never will. */
  async #afterFailedStart(ref: ContainerRef, refusal: EngineRefusal): Promise<void> {
    const container = await this.#find(ref);
    if (container === undefined) throw lost(refusal);
    if (container.State.Status === 'running') return;
    if (container.State.Status === 'paused') return this.thaw(ref);
    if (container.State.ExitCode === 126 || container.State.ExitCode === 127) return;
    if (await this.#renewNetwork(ref, container)) {
      await this.#start(ref);
      return;
    }
    if (container.HostConfig.Init === true && !this.#initMissing && (await this.#known()).init === 'unsure') {
      this.#initMissing = true;
      await this.remove(ref);
      throw lost(refusal);
    }
    throw startFailed(refusal);
  }

  /** Somebody removed the network of a container that did not run. */
  async #renewNetwork(ref: ContainerRef, container: ContainerInspectInfo): Promise<boolean> {
    const name = networkName(ref.sessionId);
    const id = container.NetworkSettings.Networks[name]?.NetworkID;
    const network = await this.#engine.find('engine.network-inspect', (docker) => docker.getNetwork(name).inspect());
    if (network !== undefined && (id === undefined || id === '' || id === network.Id || id === name)) return false;
    await this.#networks.ensure(ref.sessionId, container.Config.Labels[LABEL.egress] === 'none' ? 'none' : 'open');
    await this.#engine.find('engine.network-create', (docker) =>
      docker.getNetwork(name).disconnect({ Container: containerName(ref), Force: true }),
    );
    await this.#engine.call('engine.network-create', (docker) =>
      docker.getNetwork(name).connect({ Container: containerName(ref), EndpointConfig: { Aliases: [ref.container] } }),
    );
    return true;
  }

  async stop(ref: ContainerRef, graceSeconds: number): Promise<void> {
    const container = await this.#find(ref);
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

  async remove(ref: ContainerRef): Promise<void> {
    if ((await this.#find(ref)) !== undefined) {
      await this.#unless([404, 409], () =>
        this.#engine.call(
          'engine.container-remove',
          (docker) => docker.getContainer(containerName(ref)).remove({ force: true, v: true }),
          CHANGE_TIMEOUT_MS,
        ),
      );
      await this.#untilGone(ref);
    }
    // Takes longer than a start, and what fails here the next sweep finds.
    void this.#networks
      .remove(ref.sessionId)
      .catch((error: unknown) =>
        this.#options.log('warn', 'a network was not removed yet', { session: ref.sessionId, error: String(error) }),
      );
  }

  /** 409 says that a removal is under way, a container may be `dead` meanwhile. */
  async #untilGone(ref: ContainerRef): Promise<void> {
    for (let pause = 10; pause < 10_000; pause *= 2) {
      if ((await this.#find(ref)) === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
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
      const container = await this.#find(ref);
      if (container === undefined) throw lost(error);
      if (container.State.Status !== status) throw error;
    }
  }

  async inspect(ref: ContainerRef): Promise<Observed> {
    const container = await this.#find(ref);
    return container === undefined ? { ref, phase: 'absent' } : this.#observe(ref, container);
  }

  async #observe(ref: ContainerRef, container: ContainerInspectInfo): Promise<Observed> {
    return hasEnded(container)
      ? observe(ref, container, await gatherEvidence(this.#engine, container, await this.#known()))
      : observe(ref, container);
  }

  async list(): Promise<readonly Observed[]> {
    await this.#firewall.ensure(await this.#known());
    // Networks before containers: one made in between is never taken for deserted.
    const networks = await this.#networks.list();
    const filters = { label: [`${LABEL.instance}=${this.#options.instance}`, LABEL.session] };
    const found = await this.#engine.call('engine.container-list', (docker) => docker.listContainers({ all: true, filters }));
    const refs = found.flatMap((container) => refOf(container.Labels, this.#options.instance) ?? []);
    await this.#removeLeftovers(networks, new Set(refs.map((ref) => ref.sessionId)));
    const observed: Observed[] = [];
    for (let at = 0; at < refs.length; at += INSPECTIONS_AT_ONCE) {
      observed.push(...(await Promise.all(refs.slice(at, at + INSPECTIONS_AT_ONCE).map((ref) => this.inspect(ref)))));
    }
    return observed.filter((container) => container.phase !== 'absent');
  }

  async #removeLeftovers(networks: Awaited<ReturnType<SessionNetworks['list']>>, inUse: ReadonlySet<string>): Promise<void> {
    const deserted = networks.filter(
      (network) => !inUse.has(network.sessionId) && Date.now() - network.createdAt.getTime() > LEFTOVER_AFTER_MS,
    );
    await Promise.all(deserted.map((network) => this.#networks.remove(network.sessionId)));
    await this.#throwAways.removeOlderThan(LEFTOVER_AFTER_MS);
  }

  async nodes(): Promise<readonly NodeFacts[]> {
    this.#facts = undefined;
    const facts = await this.#known();
    await this.#firewall.ensureOnce(facts);
    const { nodeName, cpus, memoryBytes, devices } = this.#options;
    return [
      {
        name: nodeName ?? (facts.local ? hostname() : facts.hostName),
        engine: facts.title,
        cpu: cpus ?? facts.cpus,
        memoryBytes: memoryBytes ?? facts.memoryBytes,
        devices: devices ?? [],
        notices: [
          ...this.#firewall.notices(),
          ...(this.#initMissing
            ? ['the engine has no init program (docker-init or catatonit): processes whose parents ended are not collected']
            : []),
        ],
      },
    ];
  }

  watch(signal: AbortSignal): AsyncIterable<ContainerRef> {
    return watchEvents(this.#engine, this.#options.instance, signal);
  }

  async endpoint(ref: ContainerRef, port: number): Promise<{ host: string; port: number } | undefined> {
    const container = await this.#find(ref);
    const host = container?.NetworkSettings.Networks[networkName(ref.sessionId)]?.IPAddress;
    return host === undefined || host === '' ? undefined : { host, port };
  }

  async *logs(ref: ContainerRef, options: LogOptions): AsyncGenerator<LogChunk> {
    yield* logsOf(this.#engine, await this.#present(ref), options);
  }

  async attach(ref: ContainerRef): Promise<Terminal> {
    return attachTo(this.#engine, await this.#present(ref));
  }

  async exec(ref: ContainerRef, request: ExecRequest): Promise<Terminal> {
    return execIn(this.#engine, (await this.#present(ref)).Id, request, this.#options.log);
  }

  /** Undefined also for one of that name which is not ours. */
  async #find(ref: ContainerRef): Promise<ContainerInspectInfo | undefined> {
    const container = await this.#engine.find('engine.container-inspect', (docker) => docker.getContainer(containerName(ref)).inspect());
    return refOf(container?.Config.Labels, this.#options.instance) === undefined ? undefined : container;
  }

  async #present(ref: ContainerRef): Promise<ContainerInspectInfo> {
    const container = await this.#find(ref);
    if (container === undefined) throw lost();
    return container;
  }

  /** Asked once; again whenever the nodes are looked at. */
  #known(): Promise<EngineFacts> {
    if (this.#facts === undefined) {
      this.#facts = askEngine(this.#engine);
      this.#facts.catch(() => {
        this.#facts = undefined;
      });
    }
    return this.#facts;
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
