/** What an engine or a cluster says it ever had: watched from outside, so that nothing has to be taken from Berth's word. */
export interface Ledger {
  /** What must never be, and was. */
  readonly violations: readonly string[];
  /** Containers, pods. */
  readonly created: number;
  /** What is there of this installation and belongs to none of these sessions. */
  leftovers(instance: string, live: ReadonlySet<string>): Promise<readonly string[]>;
  close(): void;
}
