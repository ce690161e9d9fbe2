import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { parseSubnet, type Subnet } from './address-range.ts';

export interface HostRoute {
  readonly interface: string;
  readonly subnet: Subnet;
}

/** The machine's IPv4 routes; empty where the kernel does not tell (not Linux). */
export async function hostRoutes(): Promise<readonly HostRoute[]> {
  const lines = (await readOr('/proc/net/route', '')).trim().split('\n').slice(1);
  return lines.flatMap((line) => {
    const [name, destination, , , , , , mask] = line.split('\t');
    if (name === undefined || destination === undefined || mask === undefined) return [];
    return [{ interface: name, subnet: { base: littleEndian(destination), prefix: bits(littleEndian(mask)) } }];
  });
}

/** Of the interface that leads to the Internet: a larger one on our bridges would lose packets silently. */
export async function defaultMtu(): Promise<number | undefined> {
  const route = (await hostRoutes()).find((candidate) => candidate.subnet.prefix === 0);
  const mtu = route === undefined ? Number.NaN : Number(await readOr(`/sys/class/net/${route.interface}/mtu`, ''));
  return Number.isInteger(mtu) && mtu > 0 ? mtu : undefined;
}

/** IPv4 name servers that containers ask directly; loopback ones are asked by the engine on the host. */
export async function resolvers(): Promise<readonly { readonly address: string; readonly onThisHost: boolean }[]> {
  const text = await readOr('/etc/resolv.conf', '');
  const own = new Set(
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .map((entry) => entry.address),
  );
  const addresses = [...text.matchAll(/^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)].map((match) => match[1] ?? '');
  return addresses
    .filter((address) => !address.startsWith('127.'))
    .map((address) => ({ address: ip(address), onThisHost: own.has(address) }));
}

const ip = (text: string): string => (parseSubnet(text), text);
const littleEndian = (hex: string): number => Buffer.from(hex, 'hex').readUInt32LE(0);
const bits = (mask: number): number => (mask === 0 ? 0 : 32 - Math.log2(2 ** 32 - mask));

async function readOr(path: string, otherwise: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return otherwise;
    throw error;
  }
}
