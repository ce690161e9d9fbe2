import type { NodeDirectory } from '../domain/scheduling/node-directory.ts';
import { runQueue, type QueueOutcome, type QueuePolicy } from '../domain/scheduling/queue.ts';
import type { ReconcilerStore } from '../domain/sessions/session-store.ts';
import { LEASE_MS } from './lease.ts';

/** Runs the queue as a whole. Calls that come while a pass is under way share the next one, so a burst costs two passes. */
export class QueueRunner {
  private readonly store: ReconcilerStore;
  private readonly nodes: NodeDirectory;
  private readonly policy: QueuePolicy;
  private waiting = new Set<string>();
  private current: Promise<QueueOutcome> | undefined;
  private next: Promise<QueueOutcome> | undefined;

  constructor(store: ReconcilerStore, nodes: NodeDirectory, policy: QueuePolicy) {
    this.store = store;
    this.nodes = nodes;
    this.policy = policy;
  }

  /** `sessionId` is whose step waits for the pass, and goes on with what came of it. */
  run(sessionId: string): Promise<QueueOutcome> {
    this.waiting.add(sessionId);
    if (this.current === undefined) return this.begin();
    this.next ??= this.current.then(
      () => this.begin(),
      () => this.begin(),
    );
    return this.next;
  }

  private begin(): Promise<QueueOutcome> {
    this.next = undefined;
    const waiting = this.waiting;
    this.waiting = new Set();
    const pass = this.pass(waiting);
    this.current = pass;
    const done = (): void => {
      if (this.current === pass) this.current = undefined;
    };
    pass.then(done, done);
    return pass;
  }

  private async pass(waiting: ReadonlySet<string>): Promise<QueueOutcome> {
    let outcome: QueueOutcome = { moved: [], waiting: new Map() };
    const moved = await this.store.place((picture) => {
      outcome = runQueue(picture, this.nodes.capacities(), this.policy);
      return outcome.moved;
    }, LEASE_MS);
    const others = moved.filter(({ id }) => !waiting.has(id));
    if (others.length > 0) await this.store.wake(others.map(({ id }) => id));
    if (outcome.waiting.size > 0) await this.store.explain(outcome.waiting);
    return { moved, waiting: outcome.waiting };
  }
}
