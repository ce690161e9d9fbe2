/** Who is told of what happens to a session, and how that went. */
export interface Callback {
  /** Its path and query may be secrets: shown to the session's owner only, never logged. */
  readonly url: string;
  /** Of the last answer; null where there was none. */
  readonly lastStatus: number | null;
  /** Why the last one was not delivered; null where it was. */
  readonly lastProblem: string | null;
  /** RFC 3339. */
  readonly lastAt: string | null;
  readonly failures: number;
}

/** How one delivery went: an HTTP status where there was an answer, and what was wrong, if anything. */
export interface Outcome {
  readonly status: number | null;
  readonly problem: string | null;
}

/** What may be logged of a URL, and what counts as one target. */
export const targetOf = (url: string): string => new URL(url).hostname;

/** For others than the owner. */
export const withoutSecrets = (url: string): string => `${new URL(url).origin}/`;
