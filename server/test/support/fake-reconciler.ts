import type { NodeDirectory } from '../../src/domain/scheduling/node-directory.ts';
import type { QueuePolicy } from '../../src/domain/scheduling/queue.ts';
import type { LifePolicy } from '../../src/domain/sessions/decision.ts';
import { Actions } from '../../src/reconciler/actions.ts';
import { EngineWatch } from '../../src/reconciler/engine-watch.ts';
import { Gate } from '../../src/domain/gate.ts';
import { Loop } from '../../src/reconciler/loop.ts';
import { NodeWatch } from '../../src/reconciler/node-watch.ts';
import { tcpProbe } from '../../src/reconciler/probe.ts';
import { QueueRunner } from '../../src/reconciler/queue-runner.ts';
import { StartGate } from '../../src/reconciler/start-gate.ts';
import { StatisticsKeeper } from '../../src/reconciler/statistics-keeper.ts';
import { Stepper } from '../../src/reconciler/stepper.ts';
import { StorageRemoval } from '../../src/reconciler/storage-removal.ts';
import { FakeRuntime } from '../../src/runtimes/fake-runtime.ts';
import type { Storage } from '../../src/storage/storage.ts';

const MINUTE = 60_000;
const LIFE: LifePolicy = {
  pendingMs: 60 * MINUTE,
  pullMs: MINUTE,
  readyMs: MINUTE,
  pauseMs: MINUTE,
  restartMs: MINUTE,
  stopMs: MINUTE,
  freezeForMs: MINUTE,
  canFreeze: true,
  orchestrates: false,
  nodeLostMs: MINUTE,
};
const QUEUE: QueuePolicy = {
  unreservedMemoryShare: 0.5,
  agingMs: 5 * MINUTE,
  freezeNoticeMs: MINUTE,
  sessionsPerUser: 0,
  order: 'fifo',
  orchestrates: false,
};
const LOG = { debug: () => undefined, warn: () => undefined, error: () => undefined };
const now = (): Date => new Date();

/** The real reconciler on an engine in memory: sessions come to run, for tests of rules that need no real one. */
export class FakeReconciler {
  readonly runtime: FakeRuntime;
  readonly nodes: NodeDirectory;
  private readonly loop: Loop;
  private readonly watch: EngineWatch;
  readonly removal: StorageRemoval;
  readonly statistics: StatisticsKeeper;
  private readonly unsubscribe: () => void;

  private constructor(
    parts: Pick<FakeReconciler, 'runtime' | 'nodes' | 'removal' | 'statistics'> & {
      loop: Loop;
      watch: EngineWatch;
      unsubscribe: () => void;
    },
  ) {
    this.runtime = parts.runtime;
    this.nodes = parts.nodes;
    this.loop = parts.loop;
    this.watch = parts.watch;
    this.removal = parts.removal;
    this.statistics = parts.statistics;
    this.unsubscribe = parts.unsubscribe;
  }

  static async start(
    storage: Storage,
    policy: Partial<QueuePolicy> = {},
    runtime: FakeRuntime = new FakeRuntime(),
    startGate: StartGate = new StartGate(),
  ): Promise<FakeReconciler> {
    const { sessions: store, quarantine } = storage;
    const nodes = new NodeWatch({ runtime, store, quarantine, now, fallbackName: 'fake' });
    await nodes.refresh();
    const statistics = new StatisticsKeeper({ runtime, store, now, log: LOG });
    const actions = new Actions({
      store,
      runtime,
      now,
      queue: new QueueRunner(store, nodes, { ...QUEUE, ...policy }),
      startGate,
      statistics,
      launches: new Gate(4),
      plan: { pids: 64, sharedMemoryBytes: 1024 ** 2, stopGraceSeconds: 1 },
      keptLogBytes: 1024 ** 2,
    });
    const loop = new Loop(store, new Stepper({ store, runtime, actions, probe: tcpProbe(runtime), policy: LIFE, now }), LOG);
    const watch = new EngineWatch({
      runtime,
      nodes,
      store,
      quarantine,
      loop,
      now,
      log: LOG,
      metrics: { corrections: { inc: () => undefined }, quarantined: { set: () => undefined } },
      sweepEveryMs: MINUTE,
      policy: { stopAfterMs: MINUTE, removeAfterMs: MINUTE, graceSeconds: 1 },
    });
    const unsubscribe = storage.notifications.onWake(() => loop.nudge());
    statistics.start();
    await loop.start();
    watch.start();
    const removal = new StorageRemoval({ storages: storage.storages, runtime, everyMs: MINUTE, now, log: LOG });
    removal.start();
    return new FakeReconciler({ runtime, nodes, loop, watch, removal, statistics, unsubscribe });
  }

  async stop(): Promise<void> {
    this.unsubscribe();
    await this.watch.stop();
    await this.removal.stop();
    await this.loop.stop();
    await this.statistics.stop();
    await this.runtime.close();
  }
}
