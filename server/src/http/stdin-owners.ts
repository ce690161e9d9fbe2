import type { Session } from '../domain/sessions/session.ts';

/** Whose input a session takes. "open": everybody's; "once": the first one's, whose end is the process's end of input; "closed": nobody's. */
export class StdinOwners {
  readonly #owned = new Set<string>();

  /** Answers whether this client may type, and what to call when it leaves. */
  claim({ id, spec }: Session, wished: boolean): { readonly granted: boolean; release(): void } {
    if (!wished || spec.stdin === 'closed') return { granted: false, release: () => undefined };
    if (spec.stdin === 'open') return { granted: true, release: () => undefined };
    if (this.#owned.has(id)) return { granted: false, release: () => undefined };
    this.#owned.add(id);
    return { granted: true, release: () => void this.#owned.delete(id) };
  }
}
