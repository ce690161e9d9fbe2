import type { ServicePort } from '@berth/contract';
import { Refusal } from './refusal.ts';

/** Real servers keep these for themselves, so no image listens there. */
const RESERVED: ReadonlySet<number> = new Set([2000, 2001, 2200, 7681]);

/** Ports that are asked for by number: services called by it. */
export function preopened(ports: readonly number[]): ServicePort[] {
  for (const [index, port] of ports.entries()) {
    if (RESERVED.has(port)) throw invalid(`port ${port} is reserved: choose another`);
    if (ports.indexOf(port) !== index) throw invalid(`port ${port} is there twice: name each port once`);
  }
  return ports.map((port) => ({ name: String(port), port, protocol: 'http' }));
}

const invalid = (what: string): Refusal => {
  const message = `preopen_ports: ${what}`;
  return new Refusal('invalid-api-params', message, { data: { preopen_ports: message } });
};
