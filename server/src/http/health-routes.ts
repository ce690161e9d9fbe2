import { api, streams, toOpenApi } from '@berth/contract';
import type { FastifyInstance } from 'fastify';
import type { HttpParts } from './parts.ts';
import type { Handlers } from './route.ts';

/** For whoever runs the server: alive, ready, numbers, and the API's own description. Open to all who reach it. */
export function mountHealth(app: FastifyInstance, parts: HttpParts): void {
  const openApi = toOpenApi({ api, streams, version: parts.version });
  app.get('/healthz', () => ({ ok: true }));
  app.get('/readyz', async (_, reply) => {
    const ready = await parts.ready();
    return reply.code(ready.ok ? 200 : 503).send(ready);
  });
  app.get('/metrics', async (_, reply) => reply.type(parts.metrics.contentType).send(await parts.metrics.metrics()));
  app.get('/api/openapi.json', () => openApi);
}

export function versionHandlers({ version }: HttpParts): Pick<Handlers, 'getVersion'> {
  return { getVersion: () => Promise.resolve({ name: 'berth', version, api: 1 }) };
}
