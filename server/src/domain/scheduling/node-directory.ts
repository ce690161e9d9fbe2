import type { Node } from '@berth/contract';

/** What is known of the nodes, kept fresh by whoever talks to the runtime. */
export interface NodeDirectory {
  /** Measured now: facts, and what sessions hold, computed from their rows. */
  report(): Promise<readonly Node[]>;
  /** The last facts; empty before the engine first answered. */
  capacities(): readonly NodeCapacity[];
}

/** `status` and its reason in words; an unreachable node keeps its last capacity. */
export interface NodeCapacity {
  readonly name: string;
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly devices: readonly string[];
  /** As architecture.ts names it; absent or empty: not known. */
  readonly architecture?: string;
  readonly reachable: boolean;
  readonly unreachableSince: Date | null;
  /** Why it does not answer, in a sentence with the remedy; empty while it does. */
  readonly reason: string;
}
