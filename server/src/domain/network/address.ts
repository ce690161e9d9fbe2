/** An IP address as a number of 32 or 128 bits. */
export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** The addresses that begin alike. */
export interface Range {
  readonly bits: 32 | 128;
  /** How many of the bits are the same. */
  readonly prefix: number;
  readonly first: bigint;
}

/** Dotted decimal without leading zeros, or IPv6 as RFC 4291 writes it, also in brackets. undefined: it is none, or names a zone. */
export function parseAddress(text: string): Address | undefined {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const value = bare.includes(':') ? parseIPv6(bare) : parseIPv4(bare);
  return value === undefined ? undefined : { bits: bare.includes(':') ? 128 : 32, value };
}

/** `10.0.0.0/8`, `fc00::/7`, or an address, which is a range of one. undefined: it is none. */
export function parseRange(text: string): Range | undefined {
  const [start = '', length, ...more] = text.split('/');
  const address = parseAddress(start);
  if (address === undefined || more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined;
  const prefix = length === undefined ? address.bits : Number(length);
  if (prefix > address.bits) return undefined;
  const host = BigInt(address.bits - prefix);
  return { bits: address.bits, prefix, first: (address.value >> host) << host };
}

export const contains = (range: Range, address: Address): boolean =>
  range.bits === address.bits && (address.value ^ range.first) >> BigInt(range.bits - range.prefix) === 0n;

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function parseIPv6(text: string): bigint | undefined {
  const [head = '', tail, ...more] = withoutDots(text).split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const missing = 8 - before.length - after.length;
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return BigInt(`0x${groups.map((group) => group.padStart(4, '0')).join('')}`);
}

const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));

/** An IPv4 address at the end, as two groups. */
function withoutDots(text: string): string {
  const at = text.lastIndexOf(':') + 1;
  const value = parseIPv4(text.slice(at));
  if (value === undefined) return text;
  return `${text.slice(0, at)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}
