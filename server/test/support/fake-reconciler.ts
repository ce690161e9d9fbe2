import type { QueuePolicy } from '../../src/domain/scheduling/queue.ts';
import type { LifePolicy } from '../../src/domain/sessions/decision.ts';
import { Actions } from '../../src/reconciler/actions.ts';
import { EngineWatch } from '../../src/reconciler/engine-watch.ts';
import { Gate } from '../../src/reconciler/gate.ts';
import { Loop } from '../../src/reconciler/loop.ts';
import { NodeWatch } from '../../src/reconciler/node-watch.ts';
import { tcpProbe } from '../../src/reconciler/probe.ts';
import { QueueRunner } from '../../src/reconciler/queue-runner.ts';
import { StartGate } from '../../src/reconciler/start-gate.ts';
import { Stepper } from '../../src/reconciler/stepper.ts';
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
const LOG = { warn: () => undefined, error: () => undefined };
const now = (): Date => new Date();

/** The real reconciler on an engine in memory: sessions come to run, for tests of rules that need no real one. */
export class FakeReconciler {
  readonly runtime: FakeRuntime;
  private readonly loop: Loop;
  private readonly watch: EngineWatch;
  private readonly unsubscribe: () => void;

  private constructor(parts: { runtime: FakeRuntime; loop: Loop; watch: EngineWatch; unsubscribe: () => void }) {
    this.runtime = parts.runtime;
    this.loop = parts.loop;
    this.watch = parts.watch;
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
    const actions = new Actions({
      store,
      runtime,
      now,
      queue: new QueueRunner(store, nodes, { ...QUEUE, ...policy }),
      startGate,
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
    await loop.start();
    watch.start();
    return new FakeReconciler({ runtime, loop, watch, unsubscribe });
  }

  async stop(): Promise<void> {
    this.unsubscribe();
    await this.watch.stop();
    await this.loop.stop();
    await this.runtime.close();
  }
}
