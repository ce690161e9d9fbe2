import { contains, parseAddress, parseRange, type Address, type Range } from './address.ts';
import { INTERNAL_IPV4, INTERNAL_IPV6, NOBODYS } from './internal-ranges.ts';

const NOT_PUBLIC = rangesOf([...INTERNAL_IPV4, ...INTERNAL_IPV6, ...NOBODYS]);
const REMEDY = 'the operator allows such targets by BERTH_CALLBACK_ALLOW';

/** Whom this server asks on behalf of its users: the Internet, and what the operator named. */
export class OutgoingRules {
  readonly #names: ReadonlySet<string>;
  readonly #allowed: readonly Range[];
  readonly #own: () => readonly string[];

  /** `allow`: host names and ranges of the operator; `own`: what is this installation's just now, although it may look public. */
  constructor({ allow = [], own = () => [] }: { allow?: readonly string[]; own?: () => readonly string[] } = {}) {
    const isRange = (text: string): boolean => parseRange(text) !== undefined;
    this.#allowed = rangesOf(allow.filter(isRange));
    this.#names = new Set(allow.filter((text) => !isRange(text)).map(nameOf));
    this.#own = own;
  }

  /** The operator vouches for whatever this name stands for. */
  vouchesFor(host: string): boolean {
    return this.#names.has(nameOf(host));
  }

  /** Why not, in words, as far as it can be told without asking a name server; undefined: perhaps. */
  refusalOf(host: string): string | undefined {
    if (parseAddress(host) !== undefined) return this.refusalOfAny(host, [host]);
    const isLocal = /(?:^|\.)localhost$/.test(nameOf(host));
    return isLocal && !this.vouchesFor(host) ? `"${host}" is this server's own machine: ${REMEDY}` : undefined;
  }

  /** The same once it is known which addresses the host has: every one of them must do. */
  refusalOfAny(host: string, addresses: readonly string[]): string | undefined {
    if (addresses.length === 0) return `"${host}" has no address`;
    if (this.vouchesFor(host)) return undefined;
    const refused = [...rangesOf(this.#own()), ...NOT_PUBLIC];
    return addresses.every((address) => this.#allows(parseAddress(address), refused))
      ? undefined
      : `"${host}" is an internal address, or stands for one: ${REMEDY}`;
  }

  #allows(address: Address | undefined, refused: readonly Range[]): boolean {
    if (address === undefined) return false;
    const isIn = (range: Range): boolean => contains(range, address);
    return this.#allowed.some(isIn) || !refused.some(isIn);
  }
}

/** What BERTH_CALLBACK_ALLOW may name: an address, a range, or a host. */
export const isOutgoingTarget = (text: string): boolean =>
  parseRange(text) !== undefined || /^(?=.{1,253}$)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]*[a-z][a-z0-9_-]*\.?$/i.test(text);

const nameOf = (host: string): string => host.toLowerCase().replace(/\.$/, '');

function rangesOf(texts: readonly string[]): readonly Range[] {
  return texts.map((text) => {
    const range = parseRange(text);
    if (range === undefined) throw new TypeError(`"${text}" is no range of addresses`);
    return range;
  });
}
