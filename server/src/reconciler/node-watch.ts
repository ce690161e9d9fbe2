import type { Node } from '@berth/contract';
import { roomsOf } from '../domain/scheduling/place.ts';
import type { NodeCapacity, NodeDirectory } from '../domain/scheduling/node-directory.ts';
import { holdsAnything } from '../domain/scheduling/slots.ts';
import type { QuarantineStore, ReconcilerStore } from '../domain/sessions/session-store.ts';
import { RuntimeError, type NodeFacts, type Runtime } from '../runtimes/runtime.ts';

/** Asks the engine now and then what it has, and remembers since when it has not answered. */
export class NodeWatch implements NodeDirectory {
  private readonly runtime: Runtime;
  private readonly store: ReconcilerStore;
  private readonly quarantine: QuarantineStore;
  private readonly now: () => Date;
  private readonly fallbackName: string;
  private facts: readonly NodeFacts[] = [];
  private trouble: { readonly since: Date; readonly reason: string } | undefined;

  constructor(parts: { runtime: Runtime; store: ReconcilerStore; quarantine: QuarantineStore; now: () => Date; fallbackName: string }) {
    this.runtime = parts.runtime;
    this.store = parts.store;
    this.quarantine = parts.quarantine;
    this.now = parts.now;
    this.fallbackName = parts.fallbackName;
  }

  /** Answers whether the engine came back just now. */
  async refresh(): Promise<boolean> {
    try {
      const first = this.facts.length === 0;
      this.facts = await this.runtime.nodes();
      const back = this.trouble !== undefined || first;
      this.trouble = undefined;
      return back;
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.trouble = { since: this.trouble?.since ?? this.now(), reason: `${error.failure.message}: ${error.failure.remedy}` };
      return false;
    }
  }

  capacities(): readonly NodeCapacity[] {
    const state = {
      reachable: this.trouble === undefined,
      unreachableSince: this.trouble?.since ?? null,
      reason: this.trouble?.reason ?? '',
    };
    if (this.facts.length === 0) {
      return this.trouble === undefined ? [] : [{ name: this.fallbackName, cpu: 0, memoryBytes: 0, devices: [], ...state }];
    }
    return this.facts.map(({ name, cpu, memoryBytes, devices, architecture, unavailable }) => {
      const own = unavailable && { reachable: false, unreachableSince: unavailable.since, reason: unavailable.reason };
      return { name, cpu, memoryBytes, devices, architecture, ...state, ...(this.trouble === undefined ? own : {}) };
    });
  }

  async report(): Promise<readonly Node[]> {
    await this.refresh();
    const holding = await this.store.holding();
    const quarantined = await this.quarantine.count();
    return roomsOf(this.capacities(), holding).map(({ capacity, free, holders }) => {
      const facts = this.facts.find(({ name }) => name === capacity.name);
      return {
        id: capacity.name,
        name: capacity.name,
        runtime: this.runtime.kind,
        status: capacity.reachable ? 'ready' : 'unreachable',
        statusReason: capacity.reachable ? 'takes sessions' : capacity.reason,
        unreachableSince: capacity.unreachableSince?.toISOString() ?? null,
        engine: facts?.engine ?? 'unknown',
        architecture: facts?.architecture ?? '',
        capacity: { cpu: capacity.cpu, memoryBytes: capacity.memoryBytes, gpu: capacity.devices.length },
        free:
          facts?.free === undefined
            ? { cpu: free.cpu, memoryBytes: free.memoryBytes, gpu: free.gpu }
            : { cpu: facts.free.cpu, memoryBytes: facts.free.memoryBytes, gpu: facts.free.gpus },
        sessions: holders.filter(holdsAnything).length,
        quarantined,
        notices: [...(facts?.notices ?? [])],
      };
    });
  }
}
