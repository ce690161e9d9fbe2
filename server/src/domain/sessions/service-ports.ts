import { ProblemError, type ServicePort } from '@berth/contract';
import { unlike } from '../images/image-ports.ts';
import type { Session } from './session.ts';

/** What the declared port of a session is called where nobody gave it a name. */
const READY = 'app';

/** The services of a session: those that were asked for, those of its image as far as they are known, and the port by which it is ready. */
export function servicePortsOf({ spec, imagePorts }: Pick<Session, 'spec' | 'imagePorts'>): readonly ServicePort[] {
  const named = unlike([...(spec.ports ?? []), ...(imagePorts ?? [])]);
  const { port } = spec;
  if (port === null || named.some((service) => service.port === port)) return named;
  const name = named.some((service) => service.name === READY) ? `${READY}-${port}` : READY;
  return unlike([{ name, port, protocol: 'http' }, ...named]);
}

/** Each name and each port once. */
export function refuseDoublePorts(ports: readonly ServicePort[]): void {
  for (const [index, { name, port }] of ports.entries()) {
    const before = ports.slice(0, index);
    if (before.some((other) => other.name === name))
      throw new ProblemError('invalid-field', `two services are called "${name}": give each a name of its own`, { field: 'ports' });
    const twin = before.find((other) => other.port === port);
    if (twin !== undefined)
      throw new ProblemError('invalid-field', `port ${port} is declared twice, as "${twin.name}" and "${name}": leave one out`, {
        field: 'ports',
      });
  }
}
