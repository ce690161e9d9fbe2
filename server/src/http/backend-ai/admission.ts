import { RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import type { SignatureCheck, SignedCaller } from './signature-check.ts';
import type { SignedRequest } from './signature.ts';
import { checkVersion } from './versions.ts';

/** Lets in who signs with a key pair and does not ask too often. */
export class Admission {
  readonly #signatures: SignatureCheck;
  readonly #rates: RateLimit;
  readonly #now: () => Date;

  constructor(deps: { signatures: SignatureCheck; requestsPerWindow: number; now: () => Date }) {
    this.#signatures = deps.signatures;
    this.#rates = new RateLimit(deps.requestsPerWindow);
    this.#now = deps.now;
  }

  /** `say` gets the headers that every answer to this request carries, a refusal too. */
  async admit(request: SignedRequest, requestId: string, say: (headers: Readonly<Record<string, string>>) => void): Promise<SignedCaller> {
    checkVersion(request.headers);
    const caller = await this.#signatures.signIn(request, requestId);
    const { over, headers } = this.#rates.count(caller.accessKey, this.#now());
    say(headers);
    if (!over) return caller;
    throw new Refusal(
      'rate-limit-exceeded',
      `more than ${headers['x-ratelimit-limit']} requests in a quarter of an hour: send fewer, or wait`,
    );
  }
}
