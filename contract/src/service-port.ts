import { z } from 'zod';

/** Of addresses: the host label of a service is `<service>--<session>`. */
export const ServiceName = z
  .string()
  .regex(
    /^(?!.*--)[a-z0-9](?:[a-z0-9-]{0,27}[a-z0-9])?$/,
    'a service is named with at most 29 of a-z, 0-9 and "-", without "-" at either end and without "--"',
  );

export const SERVICE_PROTOCOLS = ['http', 'tcp'] as const;

/** A port on which something in the session listens, or will. Nothing of the host is opened by declaring it. */
export const ServicePort = z.strictObject({
  name: ServiceName,
  port: z.number().int('a port is a whole number').min(1).max(65_535),
  protocol: z.enum(SERVICE_PROTOCOLS).default('http'),
});
export type ServicePort = z.output<typeof ServicePort>;
