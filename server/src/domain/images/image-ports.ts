import { ServiceName, type ServicePort } from '@berth/contract';
import type { ImageFacts } from './image-facts.ts';

/** As images made for Backend.AI carry it: "jupyter:http:8081,tensorboard:http:[6006,6007]". */
const LABEL = 'ai.backend.service-ports';
const SERVICE = /([\w-]+):(\w+):(\[\d+(?:,\d+)*\]|\d+)(?=,|$)/g;
const MOST = 64;

/**
 * The services that an image declares: by its label, and by EXPOSE the ports it does not name, called by their number. What
 * has no usable name or port is left out: nobody can do anything about it but who made the image.
 */
export function imagePorts({ labels, exposedPorts }: ImageFacts): readonly ServicePort[] {
  const named = [...(labels[LABEL] ?? '').replaceAll(/\s/g, '').matchAll(SERVICE)].flatMap(([, name = '', protocol = '', ports = '']) =>
    servicesOf(name, protocol === 'http' ? 'http' : 'tcp', portsIn(ports)),
  );
  // What is spoken there is not known.
  const exposed = exposedPorts.map((port): ServicePort => ({ name: String(port), port, protocol: 'tcp' }));
  return unlike([...named, ...exposed]).slice(0, MOST);
}

const portsIn = (text: string): readonly number[] => text.replaceAll(/[[\]]/g, '').split(',').map(Number);

function servicesOf(label: string, protocol: ServicePort['protocol'], ports: readonly number[]): readonly ServicePort[] {
  const name = label.toLowerCase().replaceAll(/[_-]+/g, '-').replaceAll(/^-|-$/g, '');
  return ports
    .map((port, index): ServicePort => ({ name: index === 0 ? name : `${name}-${port}`, port, protocol }))
    .filter((service) => ServiceName.safeParse(service.name).success && service.port >= 1 && service.port <= 65_535);
}

/** Of those with the same name or port the first. */
export function unlike(services: readonly ServicePort[]): readonly ServicePort[] {
  return services.filter((one, index) => services.findIndex((other) => other.name === one.name || other.port === one.port) === index);
}
