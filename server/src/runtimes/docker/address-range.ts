import { createHash } from 'node:crypto';
import { RuntimeError } from '../runtime.ts';

/** An IPv4 network: first address as a number, length of its prefix. */
export interface Subnet {
  readonly base: number;
  readonly prefix: number;
}

export function parseSubnet(text: string): Subnet {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  const [a = 256, b = 256, c = 256, d = 256, prefix = 32] = (match?.slice(1) ?? []).map((part) =>
    part === undefined ? undefined : Number(part),
  );
  if (Math.max(a, b, c, d) > 255 || prefix > 32) {
    throw new RuntimeError('fatal', {
      code: 'rejected',
      message: `"${text}" is not an IPv4 network`,
      remedy: 'Write it as 10.213.0.0/16.',
    });
  }
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  return { base: address - (address % size(prefix)), prefix };
}

export const formatSubnet = (subnet: Subnet): string => `${formatAddress(subnet.base)}/${subnet.prefix}`;
export const formatAddress = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
export const overlaps = (one: Subnet, other: Subnet): boolean =>
  one.base < other.base + size(other.prefix) && other.base < one.base + size(one.prefix);
const size = (prefix: number): number => 2 ** (32 - prefix);

export const SESSION_PREFIX = 28;

/** Of a network for so many containers: each has an address, and so have the network itself, its gateway and its broadcasts. */
export const prefixFor = (containers: number): number => Math.min(SESSION_PREFIX, 32 - Math.ceil(Math.log2(containers + 3)));

/** What a container gets where Berth hands the addresses out: the first after the gateway's for rank 0. */
export const addressIn = ({ base }: Subnet, rank: number): string => formatAddress(base + 2 + rank);

/** The session's network that an address is in. */
export const subnetOf = (address: string): Subnet => parseSubnet(`${address}/${SESSION_PREFIX}`);

/** Sessions with a way out live in the lower half, sealed ones in the upper: so firewall rules need not know a single session. */
export function halves(range: Subnet): { readonly open: Subnet; readonly sealed: Subnet } {
  const prefix = range.prefix + 1;
  if (prefix > SESSION_PREFIX) {
    throw new RuntimeError('fatal', {
      code: 'rejected',
      message: `the address range ${formatSubnet(range)} is too small for sessions`,
      remedy: 'Configure one of /27 or larger, better /16.',
    });
  }
  return { open: { base: range.base, prefix }, sealed: { base: range.base + size(prefix), prefix } };
}

/** Every network of this size in a range, beginning at one that the session's id determines. */
export function* candidates(range: Subnet, sessionId: string, prefix = SESSION_PREFIX): Generator<Subnet> {
  const count = prefix < range.prefix ? 0 : 2 ** (prefix - range.prefix);
  const first = createHash('sha256').update(sessionId).digest().readUInt32BE(0) % Math.max(count, 1);
  for (let step = 0; step < count; step += 1) yield { base: range.base + ((first + step) % count) * size(prefix), prefix };
}
