/** What was done with a session since the last time it was written down. */
export interface SessionUse {
  readonly sessionId: string;
  /** Questions about it and code that ran in it. */
  readonly count: number;
  /** When code was last seen running; null: not since. */
  readonly executedAt: Date | null;
}

export interface UseStore {
  /** Adds to what is written, in one write for all of them. Sessions that are gone are ignored. */
  noteUses(uses: readonly SessionUse[]): Promise<void>;
}

/** Counts in memory, so that no question costs a write; as many entries as sessions were used since the last flush. */
export class SessionUses {
  #uses = new Map<string, SessionUse>();

  /** Somebody asked about it. */
  count(sessionId: string): void {
    this.#add({ sessionId, count: 1, executedAt: null });
  }

  /** Code was begun, or seen to go on. */
  executed(sessionId: string, at: Date): void {
    this.#add({ sessionId, count: 1, executedAt: at });
  }

  /** Not yet written. */
  pending(sessionId: string): number {
    return this.#uses.get(sessionId)?.count ?? 0;
  }

  /** As it is with what is not yet written. */
  counted<T extends { readonly id: string; readonly uses: number }>(session: T): T {
    return { ...session, uses: session.uses + this.pending(session.id) };
  }

  /** Hands them over to be written. */
  take(): readonly SessionUse[] {
    const taken = [...this.#uses.values()];
    this.#uses = new Map();
    return taken;
  }

  /** They could not be written. */
  giveBack(uses: readonly SessionUse[]): void {
    for (const use of uses) this.#add(use);
  }

  #add({ sessionId, count, executedAt }: SessionUse): void {
    const known = this.#uses.get(sessionId);
    const latest = [known?.executedAt ?? null, executedAt].filter((at) => at !== null).toSorted((a, b) => b.getTime() - a.getTime())[0];
    this.#uses.set(sessionId, { sessionId, count: (known?.count ?? 0) + count, executedAt: latest ?? null });
  }
}
