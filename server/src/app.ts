import { availableParallelism, networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { createBuiltinImageMaker } from './builds/builtin-images.ts';
import { Deliverer } from './callbacks/deliverer.ts';
import { postCallback } from './callbacks/post-callback.ts';
import { hostResolver } from './callbacks/resolve-host.ts';
import type { Config } from './config.ts';
import { callbackKey } from './domain/deliveries/signature.ts';
import { parseImageReference } from './domain/images/reference.ts';
import { OutgoingRules } from './domain/network/outgoing-rules.ts';
import type { LifePolicy } from './domain/sessions/decision.ts';
import { createHttp } from './http/http.ts';
import { ContainerExecutor } from './inside/container-executor.ts';
import { ContainerFiles } from './inside/files/container-files.ts';
import { grantLocalAccess } from './local-access.ts';
import { Actions } from './reconciler/actions.ts';
import { EngineWatch } from './reconciler/engine-watch.ts';
import { Gate } from './domain/gate.ts';
import { Loop } from './reconciler/loop.ts';
import { NodeWatch } from './reconciler/node-watch.ts';
import { tcpProbe } from './reconciler/probe.ts';
import { QueueRunner } from './reconciler/queue-runner.ts';
import { StartGate } from './reconciler/start-gate.ts';
import { StatisticsKeeper } from './reconciler/statistics-keeper.ts';
import { Stepper } from './reconciler/stepper.ts';
import { UseKeeper } from './reconciler/use-keeper.ts';
import { StorageRemoval } from './reconciler/storage-removal.ts';
import { connectDocker } from './runtimes/docker/docker-runtime.ts';
import { findEngine } from './runtimes/docker/find-engine.ts';
import { connectKubernetes } from './runtimes/kubernetes/kubernetes-runtime.ts';
import { canFreeze, type Runtime } from './runtimes/runtime.ts';
import { openStorage, type Storage } from './storage/storage.ts';
import { createMetrics, type Metrics } from './telemetry.ts';
import { newId } from './uuid.ts';
import { VERSION } from './version.ts';

const RECIPES = fileURLToPath(new URL('../../images', import.meta.url));
type Http = ReturnType<typeof createHttp>;
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const GIB = 1024 ** 3;

export interface App {
  readonly url: string;
  readonly instance: string;
  close(): Promise<void>;
}

interface Parts {
  readonly config: Config;
  readonly storage: Storage;
  readonly runtime: Runtime;
  readonly outgoing: OutgoingRules;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Puts the parts together: the one file that knows them all. `report` gets a line for each step of the start. */
export async function startApp(config: Config, log: Logger, report: (line: string) => void): Promise<App> {
  const storage = await openStorage({
    ...(config.databaseUrl === undefined ? {} : { databaseUrl: config.databaseUrl }),
    dataFolder: config.data,
    report,
    log: (level, message, fields) => log[level](fields ?? {}, message),
  });
  try {
    const runtime = openRuntime(config, storage.instance, log);
    const outgoing = new OutgoingRules({ allow: config.callbackAllow, own: () => ownAddresses(config) });
    return await run({ config, storage, runtime, outgoing, metrics: createMetrics(), log });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function run(parts: Parts): Promise<App> {
  const { config, storage, runtime } = parts;
  const nodes = new NodeWatch({ runtime, store: storage.sessions, quarantine: storage.quarantine, now, fallbackName: config.nodeName });
  await nodes.refresh();
  const startGate = new StartGate();
  const statistics = new StatisticsKeeper({ runtime, store: storage.sessions, now, log: parts.log });
  const loop = createLoop(parts, { nodes, startGate, statistics });
  const removal = createStorageRemoval(parts);
  const uses = new UseKeeper({ store: storage.uses, log: parts.log });
  let started = false;
  const http = createApi(parts, {
    nodes,
    loop,
    removal,
    uses,
    startGate,
    statistics,
    ready: async () => (started ? readiness(storage) : { ok: false, reason: 'starting' }),
  });
  const url = await listen(http, config.listen);
  const { instance, users, tokens } = storage;
  const signIn = (): Promise<void> => grantLocalAccess({ dataFolder: config.data, url, instance, users, tokens, newId, now });
  await signIn();
  const renewal = setInterval(
    () => void signIn().catch((err: unknown) => parts.log.warn({ err }, 'local access was not renewed')),
    DAY,
  ).unref();
  const unsubscribe = storage.notifications.onWake(() => loop.nudge());
  const watch = createEngineWatch(parts, nodes, loop);
  const deliverer = createDeliverer(parts);
  await loop.start();
  watch.start();
  statistics.start();
  removal.start();
  uses.start();
  deliverer.start();
  started = true;
  return {
    url,
    instance: storage.instance,
    async close() {
      clearInterval(renewal);
      unsubscribe();
      await http.close();
      await watch.stop();
      await removal.stop();
      await uses.stop();
      await deliverer.stop();
      await loop.stop();
      await statistics.stop();
      await parts.runtime.close();
      await storage.close();
    },
  };
}

/** A request to an address of this machine never leaves it, so no firewall before the machine sees it. */
function ownAddresses({ addressRange, kubernetesRanges }: Config): readonly string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return [addressRange, ...kubernetesRanges, ...interfaces.map(({ address }) => address)];
}

const openRuntime = (config: Config, instance: string, log: Logger): Runtime =>
  config.runtime === 'kubernetes' ? openCluster(config, instance, log) : openEngine(config, instance, log);

function openCluster(config: Config, instance: string, log: Logger): Runtime {
  const { kubernetesGateway: podLabels, kubernetesGatewayNamespace: namespaceLabels, kubernetesDns } = config;
  return connectKubernetes({
    instance,
    namespace: config.kubernetesNamespace,
    ...(config.kubeconfig === undefined ? {} : { kubeconfig: config.kubeconfig }),
    storage: config.kubernetesStorage,
    helperImage: parseImageReference(config.defaultImage),
    gpuResource: config.kubernetesGpuResource,
    pools: config.kubernetesPools,
    reach: config.kubernetesReach,
    gateway: { ...(hasAny(podLabels) && { podLabels }), ...(hasAny(namespaceLabels) && { namespaceLabels }) },
    egressAllow: config.egressAllow,
    clusterRanges: config.kubernetesRanges,
    ...(kubernetesDns[0] === undefined ? {} : { dnsRange: kubernetesDns[0] }),
    log: (level, message, fields) => log[level](fields, message),
  });
}

const hasAny = (labels: Readonly<Record<string, string>>): boolean => Object.keys(labels).length > 0;

function openEngine(config: Config, instance: string, log: Logger): Runtime {
  const dockerHost = findEngine(config.dockerHost, process.env);
  return connectDocker({
    url: dockerHost,
    instance,
    dataFolder: config.data,
    addressRange: config.addressRange,
    egressAllow: config.egressAllow,
    nodeName: config.nodeName,
    ...(config.nodeCpus === undefined ? {} : { cpus: config.nodeCpus }),
    ...(config.nodeMemory === undefined ? {} : { memoryBytes: config.nodeMemory }),
    devices: config.nodeDevices,
    leftoverAfterMs: Math.min(MINUTE / 2, 5 * config.sweepEvery),
    builtinImages: createBuiltinImageMaker({
      dockerHost,
      recipesFolder: RECIPES,
      cacheFolder: config.imageCache,
      log: (line) => log.info({ step: line }, 'making a built-in image'),
    }),
    log: (level, message, fields) => log[level](fields, message),
  });
}

interface LoopParts {
  readonly nodes: NodeWatch;
  readonly startGate: StartGate;
  readonly statistics: StatisticsKeeper;
}

function createLoop({ config, storage, runtime, log }: Parts, { nodes, startGate, statistics }: LoopParts): Loop {
  const policy: LifePolicy = {
    pendingMs: config.pendingTimeout,
    pullMs: 120 * MINUTE,
    readyMs: config.readyTimeout,
    pauseMs: 2 * MINUTE,
    restartMs: config.readyTimeout,
    stopMs: 2 * MINUTE + config.stopGrace,
    freezeForMs: config.freezeFor,
    canFreeze: canFreeze(runtime),
    orchestrates: runtime.orchestrates,
    nodeLostMs: config.nodeLostAfter,
  };
  const store = storage.sessions;
  const queue = new QueueRunner(store, nodes, {
    unreservedMemoryShare: config.unreservedMemoryShare,
    agingMs: 5 * MINUTE,
    freezeNoticeMs: MINUTE,
    order: config.scheduler,
    sessionsPerUser: config.maxSessionsPerUser,
    orchestrates: runtime.orchestrates,
  });
  const actions = new Actions({
    store,
    runtime,
    queue,
    now,
    startGate,
    statistics,
    launches: new Gate(2 * availableParallelism()),
    plan: { pids: 4096, sharedMemoryBytes: 5 * GIB, stopGraceSeconds: Math.ceil(config.stopGrace / 1000) },
    keptLogBytes: 10 * 1024 ** 2,
  });
  return new Loop(store, new Stepper({ store, runtime, actions, probe: tcpProbe(runtime), policy, now }), log);
}

function createEngineWatch({ config, storage, runtime, metrics, log }: Parts, nodes: NodeWatch, loop: Loop): EngineWatch {
  return new EngineWatch({
    runtime,
    nodes,
    store: storage.sessions,
    quarantine: storage.quarantine,
    loop,
    now,
    log,
    metrics,
    sweepEveryMs: config.sweepEvery,
    policy: {
      stopAfterMs: config.quarantineStopAfter,
      removeAfterMs: config.quarantineRemoveAfter,
      graceSeconds: Math.ceil(config.stopGrace / 1000),
    },
  });
}

const createStorageRemoval = ({ config, storage, runtime, log }: Parts): StorageRemoval =>
  new StorageRemoval({ storages: storage.storages, runtime, everyMs: config.sweepEvery, now, log });

const callbackKeyOf =
  ({ secretKey }: Storage) =>
  (userId: string): string =>
    callbackKey(secretKey, userId);

function createDeliverer({ outgoing: rules, storage, log }: Parts): Deliverer {
  const { callbacks, sessions, notifications } = storage;
  const resolve = hostResolver(rules);
  return new Deliverer({
    callbacks,
    sessions,
    notifications,
    post: (request, stopping) => postCallback(request, { rules, resolve }, stopping),
    keyOf: callbackKeyOf(storage),
    agent: `Berth/${VERSION}`,
    now,
    log,
  });
}

interface ApiParts extends LoopParts {
  readonly loop: Loop;
  readonly removal: StorageRemoval;
  readonly uses: UseKeeper;
  readonly ready: () => Promise<{ ok: boolean; reason?: string }>;
}

function createApi(
  { config, storage, runtime, outgoing, metrics, log }: Parts,
  { nodes, loop, removal, uses, startGate, statistics, ready }: ApiParts,
): Http {
  return createHttp({
    sessions: storage.sessions,
    users: storage.users,
    tokens: storage.tokens,
    keypairs: storage.keypairs,
    storages: storage.storages,
    notifications: storage.notifications,
    nodes,
    runtime,
    executor: new ContainerExecutor({ runtime, sessions: storage.sessions, newId }),
    uses: uses.uses,
    files: new ContainerFiles(runtime),
    firstByte: startGate,
    statistics,
    outgoing,
    callbackKeyOf: callbackKeyOf(storage),
    metrics: metrics.registry,
    log,
    version: VERSION,
    defaultImage: config.defaultImage,
    allowedHosts: config.allowedHosts,
    sessionsPerUser: config.maxSessionsPerUser,
    newId,
    now,
    wake: (sessionId) => loop.requested(sessionId),
    removeStorages: () => removal.nudge(),
    ready,
  });
}

async function readiness(storage: Storage): Promise<{ ok: boolean; reason?: string }> {
  try {
    await storage.sessions.latestEvent();
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function listen(http: Http, address: string): Promise<string> {
  const split = address.lastIndexOf(':');
  const host = address.slice(0, split).replace(/^\[|\]$/g, '');
  return http.listen({ host, port: Number(address.slice(split + 1)) });
}

const now = (): Date => new Date();
