import { hostname } from 'node:os';
import type { ContainerInspectInfo } from 'dockerode';
import { normalArchitecture } from '../../domain/images/architecture.ts';
import type { BuiltinImageMaker } from '../../domain/images/builtin.ts';
import type { Usage } from '../../domain/sessions/statistics.ts';
import {
  type CommitRequest,
  type CommitState,
  type Committable,
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
  type StartRequest,
  type StorageRef,
  type Terminal,
} from '../runtime.ts';
import { Bootstraps } from './bootstrap.ts';
import { Commits } from './commits.ts';
import { Consoles } from './consoles.ts';
import { Containers } from './containers.ts';
import { parseEngineAddress } from './engine-address.ts';
import { EngineClient } from './engine-client.ts';
import { askEngine, type EngineFacts } from './engine-facts.ts';
import { EngineRefusal } from './errors.ts';
import { gatherEvidence } from './evidence.ts';
import { attachTo } from './attach-session.ts';
import { execIn } from './exec-session.ts';
import { logsOf, podmanLog } from './log-stream.ts';
import { Firewall } from './firewall.ts';
import { openFilesLimit } from './host-limits.ts';
import { Images } from './images.ts';
import { containerName, LABEL, networkName, serverMark } from './names.ts';
import { refOf } from '../container-labels.ts';
import { BridgeNetworks, type SessionNetworks } from './networks.ts';
import { hasEnded, observe, wasStartedSince } from './observe.ts';
import { usageOf } from './statistics.ts';
import { Storages } from './storages.ts';
import { ThrowAways } from './throw-aways.ts';
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
  /** A helper container so old was left behind by a killed server. Default: two minutes. */
  readonly leftoverAfterMs?: number;
  readonly builtinImages: BuiltinImageMaker;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;
}

/** Nothing is asked of the engine yet: it may be down when the server starts. */
export const connectDocker = (options: DockerRuntimeOptions): DockerRuntime => new DockerRuntime(options);

const LEFTOVER_AFTER_MS = 120_000;
const INSPECTIONS_AT_ONCE = 8;

/** Docker 20.10 or newer, or Podman 4.3 or newer, over the Docker Engine API. One engine is one node. */
export class DockerRuntime implements Runtime, Freezable, Committable {
  readonly kind = 'docker';
  readonly orchestrates = false;
  readonly logsApart = true;
  readonly #options: DockerRuntimeOptions;
  readonly #engine: EngineClient;
  readonly #networks: SessionNetworks;
  readonly #throwAways: ThrowAways;
  readonly #containers: Containers;
  readonly #consoles: Consoles;
  readonly #bootstraps: Bootstraps;
  readonly #storages: Storages;
  readonly #users: UserMapping;
  readonly #images: Images;
  readonly #commits: Commits;
  readonly #firewall: Firewall;
  #facts: Promise<EngineFacts> | undefined;

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    const { instance, dataFolder, addressRange = '10.213.0.0/16', egressAllow = [] } = options;
    const engine = new EngineClient(parseEngineAddress(options.url));
    this.#engine = engine;
    this.#throwAways = new ThrowAways({ engine, instance, server: serverMark(hostname(), dataFolder) });
    this.#networks = new BridgeNetworks({ engine, instance, addressRange, facts: () => this.#known() });
    this.#containers = new Containers({
      engine,
      instance,
      networks: this.#networks,
      facts: () => this.#known(),
    });
    this.#consoles = new Consoles(engine);
    this.#bootstraps = new Bootstraps(engine, options.log);
    this.#storages = new Storages({ engine, throwAways: this.#throwAways, instance });
    this.#users = new UserMapping({ engine, throwAways: this.#throwAways, dataFolder });
    this.#images = new Images({
      engine,
      builtinImages: options.builtinImages,
      architecture: async () => (await this.#known()).architecture,
    });
    this.#commits = new Commits({ engine, throwAways: this.#throwAways, instance });
    this.#firewall = new Firewall({ instance, addressRange, egressAllow });
  }

  ensureImage(request: ImageRequest): Promise<ImageState> {
    return this.#images.ensure(request);
  }

  ensureStorage(_node: string, storage: StorageRef, imageDigest: string): Promise<void> {
    return this.#storages.ensure(storage, imageDigest);
  }

  removeStorage(storage: StorageRef): Promise<void> {
    return this.#storages.remove(storage);
  }

  async create(spec: ContainerSpec): Promise<void> {
    const facts = await this.#known();
    await this.#firewall.ensureOnce(facts);
    const mounted = facts.local && !facts.selinux;
    const names = [spec.ref.container, ...(spec.peers ?? [])].toSorted();
    const [network, userFiles] = await Promise.all([
      this.#networks.ensure(spec.ref.sessionId, spec.egress, names.length),
      mounted ? this.#users.paths(spec.imageDigest, spec.user) : null,
    ]);
    const around = {
      instance: this.#options.instance,
      kind: facts.kind,
      network,
      addresses: await this.#addresses(spec.ref.sessionId, names),
      userFiles,
      nvidia: facts.nvidia,
      cpus: facts.cpus,
      openFiles: facts.local && facts.kind === 'docker' ? openFilesLimit() : null,
    };
    await this.#containers.create(spec, around);
    if (!mounted) await this.#users.copyInto(containerName(spec.ref), spec.imageDigest, spec.user);
  }

  /** By host name; null where the engine looks names up itself. */
  async #addresses(sessionId: string, names: readonly string[]): Promise<ReadonlyMap<string, string> | null> {
    const addresses = await this.#networks.addresses(sessionId, names.length);
    return addresses === undefined ? null : new Map(names.map((name, rank) => [name, addresses[rank] ?? '']));
  }

  async start(ref: ContainerRef, { bootstrapScript, seen }: StartRequest = {}): Promise<void> {
    const container = await this.#containers.present(ref);
    if (seen !== undefined && wasStartedSince(container, seen.startedAt)) return;
    if (bootstrapScript !== undefined && !container.State.Running) await this.#bootstraps.handOver(container, bootstrapScript);
    await this.#consoles.attend(container);
    await this.#containers.start(ref);
  }

  stop(ref: ContainerRef, graceSeconds: number): Promise<void> {
    return this.#containers.stop(ref, graceSeconds);
  }

  async remove(ref: ContainerRef): Promise<void> {
    const id = await this.#containers.remove(ref);
    if (id !== undefined) {
      this.#consoles.leave(id);
      this.#bootstraps.forget(id);
    }
    const { log } = this.#options;
    // Takes longer than a start, and what fails here the next sweep finds.
    void this.#networks
      .remove(ref.sessionId)
      .catch((error: unknown) => log('warn', 'a network was not removed yet', { session: ref.sessionId, error: String(error) }));
  }

  close(): Promise<void> {
    this.#consoles.close();
    return Promise.resolve();
  }

  freeze(ref: ContainerRef): Promise<void> {
    return this.#containers.freeze(ref);
  }

  thaw(ref: ContainerRef): Promise<void> {
    return this.#containers.thaw(ref);
  }

  commit(request: CommitRequest): Promise<CommitState> {
    return this.#commits.commit(request, () => this.#containers.present(request.ref));
  }

  async inspect(ref: ContainerRef): Promise<Observed> {
    const container = await this.#containers.find(ref);
    if (container === undefined) return { ref, phase: 'absent' };
    if (container.State.Running) this.#listen(container);
    return this.#observe(ref, container);
  }

  /** Also to what an earlier server started. */
  #listen(container: ContainerInspectInfo): void {
    this.#consoles.attend(container).catch((error: unknown) => {
      this.#options.log('debug', 'a console is not listened to yet', { container: container.Id, error: String(error) });
    });
  }

  async #observe(ref: ContainerRef, container: ContainerInspectInfo): Promise<Observed> {
    if (hasEnded(container)) return observe(ref, container, await gatherEvidence(this.#engine, container, await this.#known()));
    const observed = observe(ref, container);
    const bootstrapping = observed.phase === 'running' && (await this.#bootstraps.isAtWork(container));
    return bootstrapping ? { ...observed, bootstrapping } : observed;
  }

  async list(): Promise<readonly Observed[]> {
    await this.#firewall.ensure(await this.#known());
    const filters = { label: [`${LABEL.instance}=${this.#options.instance}`, LABEL.session] };
    const found = await this.#engine.call('engine.container-list', (docker) => docker.listContainers({ all: true, filters }));
    const refs = found.flatMap((container) => refOf(container.Labels, this.#options.instance) ?? []);
    const leftoverAfterMs = this.#options.leftoverAfterMs ?? LEFTOVER_AFTER_MS;
    await this.#throwAways.removeOlderThan(leftoverAfterMs);
    await this.#commits.removeOlderThan(leftoverAfterMs);
    const observed: Observed[] = [];
    for (let at = 0; at < refs.length; at += INSPECTIONS_AT_ONCE) {
      observed.push(...(await Promise.all(refs.slice(at, at + INSPECTIONS_AT_ONCE).map((ref) => this.inspect(ref)))));
    }
    return observed.filter((container) => container.phase !== 'absent');
  }

  async traces(): Promise<readonly string[]> {
    return (await this.#networks.list()).map((network) => network.sessionId);
  }

  clear(sessionId: string): Promise<void> {
    return this.#networks.remove(sessionId);
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
        architecture: normalArchitecture(facts.architecture),
        notices: [
          ...this.#firewall.notices(),
          ...(this.#containers.initMissing
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
    let container = await this.#containers.find(ref);
    if (container === undefined || hasEnded(container)) return undefined;
    if (addressOf(ref, container) === undefined && (await this.#containers.renewNetwork(ref, container))) {
      container = await this.#containers.find(ref);
    }
    const host = addressOf(ref, container);
    if (host === undefined) return undefined;
    await this.#networks.reach(host);
    return { host, port };
  }

  async statistics(ref: ContainerRef): Promise<Usage | undefined> {
    const stats = { stream: false, 'one-shot': true } as const;
    try {
      return usageOf(await this.#engine.find('engine.container-stats', (docker) => docker.getContainer(containerName(ref)).stats(stats)));
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      // Podman refuses where nothing runs, instead of answering that.
      const { phase } = await this.inspect(ref);
      if (phase !== 'running' && phase !== 'frozen') return undefined;
      throw error;
    }
  }

  async *logs(ref: ContainerRef, options: LogOptions): AsyncGenerator<LogChunk> {
    const container = await this.#containers.present(ref);
    if (!options.follow) yield* this.#consoles.complete(container, logsOf(this.#engine, container, options));
    else if ((await this.#known()).kind === 'docker') yield* logsOf(this.#engine, container, options);
    else yield* podmanLog(this.#engine, container, options.signal);
  }

  async attach(ref: ContainerRef, options = { stdin: true }): Promise<Terminal> {
    return attachTo(this.#engine, await this.#containers.present(ref), options);
  }

  async exec(ref: ContainerRef, request: ExecRequest): Promise<Terminal> {
    return execIn(this.#engine, await this.#containers.present(ref), request, this.#options.log);
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
}

const addressOf = (ref: ContainerRef, container: ContainerInspectInfo | undefined): string | undefined =>
  container?.NetworkSettings.Networks[networkName(ref.sessionId)]?.IPAddress || undefined;
