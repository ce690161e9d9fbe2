import { lookup, Resolver } from 'node:dns/promises';
import { parseAddress } from '../domain/network/address.ts';

/** Every address that a host of a URL has. Throws what the name server answered. */
export type ResolveHost = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

const PATIENCE = { timeout: 3_000, tries: 2 };

/**
 * Names that users choose are asked of the name servers directly: the system's own way occupies threads that the whole server
 * shares, and theirs may answer slowly on purpose. Names the operator vouches for may also stand in the hosts file.
 */
export const hostResolver =
  (rules: { vouchesFor(host: string): boolean }): ResolveHost =>
  async (host, signal) => {
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    if (parseAddress(bare) !== undefined) return [bare];
    if (rules.vouchesFor(host)) return (await lookup(host, { all: true })).map(({ address }) => address);
    return askNameServers(host, signal);
  };

async function askNameServers(host: string, signal: AbortSignal): Promise<readonly string[]> {
  signal.throwIfAborted();
  const resolver = new Resolver(PATIENCE);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const [first] = answers;
    if (addresses.length === 0 && first.status === 'rejected') throw first.reason;
    return addresses;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
