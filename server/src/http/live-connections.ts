import { ProblemError } from '@berth/contract';
import type { FastifyBaseLogger } from 'fastify';
import type { Authenticator } from './authenticate.ts';
import type { Caller } from './caller.ts';

const RECHECK_MS = 3_000;

/** Why a connection is cut: the server stops, or the token behind it is no longer good. */
export type CutReason = { readonly kind: 'stopping' } | { readonly kind: 'signed-out'; readonly problem: ProblemError };
interface Live {
  readonly tokenHash: string;
  readonly cut: (reason: CutReason) => void;
}

/** Everything that stays open: cut when the server stops, and within seconds when its token is revoked or its user disabled. */
export class LiveConnections {
  readonly #live = new Set<Live>();
  readonly #authenticator: Pick<Authenticator, 'recheck'>;
  readonly #log: FastifyBaseLogger;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(deps: { authenticator: Pick<Authenticator, 'recheck'>; log: FastifyBaseLogger }) {
    this.#authenticator = deps.authenticator;
    this.#log = deps.log;
  }

  get count(): number {
    return this.#live.size;
  }

  /** Answers what to call when the connection is gone. */
  add(caller: Pick<Caller, 'tokenHash'>, cut: (reason: CutReason) => void): () => void {
    if (this.#stopping) throw new ProblemError('shutting-down', 'this server is stopping: try again in a moment');
    const live: Live = { tokenHash: caller.tokenHash, cut };
    this.#live.add(live);
    this.#timer ??= setInterval(() => void this.#recheck(), RECHECK_MS).unref();
    return () => {
      this.#live.delete(live);
      if (this.#live.size === 0) this.#stopTimer();
    };
  }

  cutAll(): void {
    this.#stopping = true;
    this.#stopTimer();
    for (const live of this.#live) live.cut({ kind: 'stopping' });
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #recheck(): Promise<void> {
    for (const tokenHash of new Set([...this.#live].map((live) => live.tokenHash))) {
      try {
        await this.#authenticator.recheck(tokenHash);
      } catch (error) {
        if (error instanceof ProblemError) this.#cut(tokenHash, error);
        else this.#log.warn({ err: error }, 'open connections could not be checked against their tokens; trying again');
      }
    }
  }

  #cut(tokenHash: string, problem: ProblemError): void {
    for (const live of this.#live) {
      if (live.tokenHash === tokenHash) live.cut({ kind: 'signed-out', problem });
    }
  }
}
