/**
 * What leads inward and not to the Internet. One list for all: sessions have no way there (firewall, network policies), and
 * what users make this server ask does not lead there either (outgoing-rules.ts).
 */
export const INTERNAL_IPV4 = [
  '0.0.0.0/8', // this host
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by the customers of a provider; a cloud's metadata
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local; clouds' metadata
  '172.16.0.0/12', // private
  '192.168.0.0/16', // private
  '224.0.0.0/3', // multicast, reserved, broadcast
] as const;

export const INTERNAL_IPV6 = [
  '::/3', // unspecified, loopback, IPv4 in all its disguises (::ffff:0:0/96, 64:ff9b::/96), discard
  '2001::/32', // Teredo: IPv4 inside
  '2002::/16', // 6to4: IPv4 inside
  'fc00::/7', // private; a cloud's metadata
  'fe80::/10', // link-local
  'fec0::/10', // private, of old
  'ff00::/8', // multicast
] as const;

/** What leads nowhere: for examples, benchmarks and protocols, or not given to anybody. Harmless, but nobody is there. */
export const NOBODYS = [
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001:db8::/32',
  '3fff::/20',
  '4000::/2',
  '8000::/1',
] as const;
