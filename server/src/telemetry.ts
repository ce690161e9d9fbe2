import { pino, type Logger } from 'pino';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  readonly corrections: Counter;
  readonly quarantined: Gauge;
}

/** Structured logs; what could hold a secret is left out at the source and, should it slip through, here. */
export const createLog = (level: string): Logger =>
  pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['*.authorization', '*.token', '*.secretKey', 'secretKey', '*.env', 'req.headers.authorization'], censor: '…' },
  });

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'berth_' });
  return {
    registry,
    corrections: new Counter({
      name: 'berth_sweep_corrections_total',
      help: 'Sessions whose container was not as the table said; should stay flat',
      registers: [registry],
    }),
    quarantined: new Gauge({
      name: 'berth_quarantined_containers',
      help: 'Containers with our labels that no session knows',
      registers: [registry],
    }),
  };
}
