import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

const toNumber = (address) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** Every route of the machine but the default one, as [first, last] address. */
function routedRanges() {
  const rows = readFileSync('/proc/net/route', 'utf8').trim().split('\n').slice(1);
  const hex = (text) => Number.parseInt(text.match(/../g).reverse().join(''), 16);
  const routes = rows.map((row) => row.split('\t')).map((cells) => ({ start: hex(cells[1]), mask: hex(cells[7]) }));
  return routes.filter(({ mask }) => mask !== 0).map(({ start, mask }) => [start, start + (0xffffffff - mask)]);
}

/** Whether a network of this machine, its default route apart, has this address ("10.203.0.5"). */
export const isRouted = (address) => routedRanges().some(([first, last]) => first <= toNumber(address) && toNumber(address) <= last);

/** A private /16 that no route or address of this machine touches, as its first two parts ("10.203"). */
export function freePrivateRange(taken = []) {
  const addresses = Object.values(networkInterfaces())
    .flat()
    .filter(({ family }) => family === 'IPv4')
    .map(({ address }) => toNumber(address));
  const ranges = [...routedRanges(), ...addresses.map((address) => [address, address])];
  for (let second = 203; second > 100; second -= 1) {
    const start = toNumber(`10.${second}.0.0`);
    const end = start + 0xffff;
    if (!taken.includes(`10.${second}`) && ranges.every(([first, last]) => last < start || first > end)) return `10.${second}`;
  }
  throw new Error(
    'No free private address range was found between 10.101.0.0 and 10.203.255.255: every one of them is routed on this machine.',
  );
}

/** MTU of the interface that leads outside, so that packets of containers are never larger. */
export function defaultMtu() {
  const row = readFileSync('/proc/net/route', 'utf8')
    .split('\n')
    .find((line) => line.split('\t')[1] === '00000000');
  return row === undefined ? 1500 : Number(readFileSync(`/sys/class/net/${row.split('\t')[0]}/mtu`, 'utf8'));
}
