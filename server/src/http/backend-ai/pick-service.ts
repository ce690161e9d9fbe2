import { z } from 'zod';
import type { Session } from '../../domain/sessions/session.ts';
import { check } from '../check.ts';
import { canonical, WholeNumber, type Parameters } from './parameters.ts';
import { Refusal } from './refusal.ts';
import { servicePorts, type ServicePort } from './session-page.ts';
import { isUp, statusOf } from './session-status.ts';

const JsonObject = z.string().max(65_536).default('{}').transform(parsedObject);
const Asked = z.object({
  app: z.string().min(1).max(64),
  port: WholeNumber.pipe(z.number().min(1).max(65_535)).optional(),
  envs: JsonObject,
  arguments: JsonObject,
});

export interface PickedService {
  readonly service: ServicePort;
  /** In the container. */
  readonly port: number;
}

/** The service of a running session that a request means, by its name and, where it has several ports, by one of them. */
export function pickService(session: Session, parameters: Parameters): PickedService {
  const asked = check(Asked, canonical(parameters, { app: ['service', 'service_name'] }));
  refuseUnlessRunning(session);
  const all = servicePorts(session);
  const service = all.find(({ name }) => name === asked.app);
  if (service === undefined) {
    const there = all.length === 0 ? 'it has none' : `there is ${all.map(({ name }) => name).join(', ')}`;
    throw new Refusal('object-not-found', `"${session.name}" has no service "${asked.app}": ${there}`, { title: 'No such app service.' });
  }
  if (Object.keys({ ...asked.envs, ...asked.arguments }).length > 0)
    throw new Refusal(
      'not-implemented',
      'envs and arguments are for services that a request starts: here they run with their session, leave these out',
    );
  const [first] = service.ports;
  const port = asked.port ?? first;
  if (port === undefined || !service.ports.includes(port))
    throw new Refusal('invalid-api-params', `"${asked.app}" has no port ${port}: it has ${service.ports.join(', ')}`, {
      data: { port: String(port) },
    });
  return { service, port };
}

export function refuseUnlessRunning(session: Session): void {
  if (isUp(session)) return;
  throw new Refusal('invalid-api-params', `${session.name} is ${statusOf(session)}: it has to run for that`);
}

function parsedObject(text: string, context: z.RefinementCtx): object {
  const value = parseJson(text.trim() === '' ? '{}' : text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  context.addIssue({ code: 'custom', message: 'it must be a JSON object, as text' });
  return z.NEVER;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
