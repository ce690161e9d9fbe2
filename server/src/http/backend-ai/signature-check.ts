import { ProblemError } from '@berth/contract';
import type { FastifyBaseLogger } from 'fastify';
import type { FoundKeypair, KeypairStore } from '../../domain/users/keypair-store.ts';
import type { User } from '../../domain/users/user-store.ts';
import { Refusal } from './refusal.ts';
import { isSignedWith, readClaim, type SignedRequest } from './signature.ts';

/** Who asks, proved by a signature. `token` and `tokenHash` say which key pair, where others say which token. */
export interface SignedCaller {
  readonly user: User;
  readonly accessKey: string;
  readonly token: { readonly id: string };
  readonly tokenHash: string;
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
}

/** Tells who signed a request. */
export class SignatureCheck {
  readonly #keypairs: KeypairStore;
  readonly #now: () => Date;
  readonly #log: FastifyBaseLogger;

  constructor(deps: { keypairs: KeypairStore; now: () => Date; log: FastifyBaseLogger }) {
    this.#keypairs = deps.keypairs;
    this.#now = deps.now;
    this.#log = deps.log;
  }

  async signIn(request: SignedRequest, requestId: string): Promise<SignedCaller> {
    const claim = readClaim(request, this.#now());
    const { keypair, user, secretKey } = await this.#find(claim.accessKey);
    if (!isSignedWith(claim, secretKey))
      throw new Refusal(
        'auth-failed',
        'the signature does not fit the request: check the secret key, and that the endpoint has no path and no trailing slash',
        {
          title: 'Signature mismatch',
        },
      );
    this.#used(keypair.id);
    return { user, accessKey: claim.accessKey, token: { id: keypair.id }, tokenHash: claim.accessKey, requestId, log: this.#log };
  }

  /** Throws ProblemError not-signed-in when the key pair stopped being good: for connections that stay open. */
  async recheck(accessKey: string): Promise<void> {
    try {
      await this.#find(accessKey);
    } catch (error) {
      throw error instanceof Refusal ? new ProblemError('not-signed-in', error.message, { cause: error }) : error;
    }
  }

  async #find(accessKey: string): Promise<FoundKeypair> {
    const found = await this.#keypairs.find(accessKey);
    const refuse = (why: string): Refusal => new Refusal('auth-failed', why, { title: 'Access key not found' });
    if (found === undefined) throw refuse('the access key is not known here: `berth keypair list` shows yours');
    const { keypair, user } = found;
    if (keypair.revokedAt !== null)
      throw refuse(`the key pair was revoked on ${keypair.revokedAt.toISOString()}: make a new one with \`berth keypair create\``);
    if (user.disabled) throw refuse(`the user "${user.name}" is disabled: ask an administrator`);
    return found;
  }

  #used(id: string): void {
    this.#keypairs.used(id, this.#now()).catch((err: unknown) => {
      this.#log.warn({ err }, 'when a key pair was last used could not be written; the next use will be');
    });
  }
}
