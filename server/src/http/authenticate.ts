import { ProblemError } from '@berth/contract';
import type { FastifyBaseLogger } from 'fastify';
import { hashToken, isTokenShaped } from '../domain/users/token.ts';
import type { Token, TokenStore, User } from '../domain/users/user-store.ts';

const FLUSH_MS = 30_000;

export interface SignedIn {
  readonly user: User;
  readonly token: Token;
  readonly tokenHash: string;
}

/** Tells who a bearer token belongs to, and remembers when it was last used without a write per request. */
export class Authenticator {
  readonly #tokens: TokenStore;
  readonly #now: () => Date;
  readonly #log: FastifyBaseLogger;
  readonly #timer: NodeJS.Timeout;
  #uses = new Map<string, Date>();

  constructor(deps: { tokens: TokenStore; now: () => Date; log: FastifyBaseLogger }) {
    this.#tokens = deps.tokens;
    this.#now = deps.now;
    this.#log = deps.log;
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  /** `header`: the Authorization header. ProblemError not-signed-in says which way it failed. */
  async signIn(header: string | undefined): Promise<SignedIn> {
    const secret = bearer(header);
    const tokenHash = hashToken(secret);
    const found = await this.#find(tokenHash);
    this.#uses.set(found.token.id, this.#now());
    return { ...found, tokenHash };
  }

  /** Throws ProblemError not-signed-in when the token stopped being good: for connections that stay open. */
  async recheck(tokenHash: string): Promise<void> {
    await this.#find(tokenHash);
  }

  async flush(): Promise<void> {
    if (this.#uses.size === 0) return;
    const uses = this.#uses;
    this.#uses = new Map();
    try {
      await this.#tokens.used(uses);
    } catch (error) {
      this.#log.warn({ err: error }, 'when tokens were last used could not be written; the next uses will be');
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #find(tokenHash: string): Promise<{ user: User; token: Token }> {
    const found = await this.#tokens.lookUp(tokenHash);
    if (found === undefined) throw refused('the token is not known here: check BERTH_URL and BERTH_TOKEN, or sign in with `berth login`');
    const { token, user } = found;
    if (token.revokedAt !== null) {
      throw refused(
        `the token "${token.name}" was revoked on ${token.revokedAt.toISOString()}: make a new one with \`berth token create\``,
      );
    }
    if (token.expiresAt !== null && token.expiresAt <= this.#now()) {
      throw refused(`the token "${token.name}" expired on ${token.expiresAt.toISOString()}: make a new one with \`berth token create\``);
    }
    if (user.disabled) throw refused(`the user "${user.name}" is disabled: ask an administrator`);
    return found;
  }
}

const refused = (detail: string): ProblemError => new ProblemError('not-signed-in', detail);

function bearer(header: string | undefined): string {
  if (header === undefined)
    throw refused('the request carries no token: send "Authorization: Bearer berth_…", or sign in with `berth login`');
  const secret = /^Bearer +(\S+) *$/i.exec(header)?.[1];
  if (secret === undefined) throw refused('the Authorization header is not of the form "Bearer berth_…"');
  if (!isTokenShaped(secret)) throw refused('the token is not one of Berth\'s: they are "berth_" and 43 letters, digits, "-" or "_"');
  return secret;
}
