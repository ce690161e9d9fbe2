import type { Outcome } from './callback.ts';

/**
 * Which sessions have something to be told, to whom, and how far that is. The events themselves are the queue: a session's place
 * in them is all that is kept.
 */
export interface CallbackStore {
  /** Takes sessions that have events to tell and that nobody else is at: one of each owner and target at most, so ask until there is none.
   *  They come back when the lease ends. */
  claim(wish: ClaimWish): Promise<readonly CallbackClaim[]>;
  /** Writes down how a delivery went, or that nothing had to be told, and holds the claim for the lease again. false: somebody else has it by now. */
  note(claim: CallbackClaim, note: Note): Promise<boolean>;
  /** Lets others have it at once. */
  giveBack(claim: CallbackClaim): Promise<void>;
}

export interface ClaimWish {
  /** Among these; null: among all. */
  readonly sessionIds: readonly string[] | null;
  readonly limit: number;
  readonly leaseMs: number;
  /** None of these targets and owners: they have all the places they may have. */
  readonly without: { readonly targets: readonly string[]; readonly owners: readonly string[] };
}

export interface CallbackClaim {
  /** This claim and no other. */
  readonly id: string;
  readonly sessionId: string;
  readonly ownerId: string;
  readonly url: string;
  readonly target: string;
  /** The event up to which everything has been dealt with. */
  readonly after: string;
}

export interface Note {
  /** null: nothing was told. */
  readonly outcome: Outcome | null;
  /** Everything up to this event has been dealt with; null: there is more to tell of it. */
  readonly upTo: string | null;
  /** Nothing will follow. */
  readonly over: boolean;
  readonly leaseMs: number;
}
