import type { FastifyInstance } from 'fastify';
import { Gauge, Histogram, type Registry } from 'prom-client';

/** Counts and times the API for /metrics, and writes one line for each request: its method, route and answer, never its URL. */
export function measure(app: FastifyInstance, { metrics, openConnections }: { metrics: Registry; openConnections: () => number }): void {
  const seconds = new Histogram({
    name: 'berth_http_request_duration_seconds',
    help: 'Time to answer a request of the API',
    registers: [metrics],
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.5, 2, 10],
  });
  metrics.registerMetric(
    new Gauge({
      name: 'berth_http_open_connections',
      help: 'Streams and WebSockets that are open',
      registers: [],
      collect() {
        this.set(openConnections());
      },
    }),
  );
  app.addHook('onResponse', async (request, reply) => {
    const { method, id: requestId } = request;
    const route = request.routeOptions.url ?? 'none';
    seconds.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    // Who asks every few seconds whether all is well fills no log.
    const level = PROBES.has(route) ? 'debug' : 'info';
    request.log[level]({ method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime), requestId }, 'request');
  });
}

const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);
