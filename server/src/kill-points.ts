import { readFileSync } from 'node:fs';

/**
 * Every engine call and every database write of the control plane, by name. The fault suite ends the server with SIGKILL
 * before and after each of them; a call that goes around this table does not compile (engine) or fails a test (storage).
 */
export const KILL_POINTS = [
  'engine.image-inspect',
  'engine.image-pull',
  'engine.image-import',
  'engine.volume-inspect',
  'engine.volume-create',
  'engine.volume-prepare',
  'engine.volume-remove',
  'engine.network-inspect',
  'engine.network-create',
  'engine.network-list',
  'engine.network-remove',
  'engine.container-create',
  'engine.container-start',
  'engine.container-stop',
  'engine.container-remove',
  'engine.container-pause',
  'engine.container-unpause',
  'engine.container-inspect',
  'engine.container-list',
  'engine.container-archive',
  'engine.container-logs',
  'engine.container-attach',
  'engine.container-exec',
  'engine.container-stats',
  'engine.container-commit',
  'engine.image-list',
  'engine.image-remove',
  'engine.bootstrap-put',
  'engine.info',
  'engine.events',
  'engine.firewall',
  'cluster.version',
  'cluster.node-list',
  'cluster.pod-list',
  'cluster.pod-get',
  'cluster.pod-create',
  'cluster.pod-patch',
  'cluster.pod-delete',
  'cluster.pod-watch',
  'cluster.pod-events',
  'cluster.pod-log',
  'cluster.pod-exec',
  'cluster.pod-attach',
  'cluster.pod-tunnel',
  'cluster.secret-create',
  'cluster.secret-delete',
  'cluster.claim-list',
  'cluster.claim-create',
  'cluster.claim-delete',
  'cluster.policy-list',
  'cluster.policy-create',
  'cluster.policy-delete',
  'cluster.service-create',
  'cluster.service-delete',
  'store.session-create',
  'store.session-request',
  'store.session-save',
  'store.session-claim',
  'store.session-look-again',
  'store.session-wake',
  'store.session-place',
  'store.session-explain',
  'store.session-log',
  'store.session-statistics',
  'store.session-uses',
  'store.quarantine',
  'store.user',
  'store.token',
  'store.keypair',
  'store.callback-claim',
  'store.callback',
  'store.storage',
] as const;
export type KillPoint = (typeof KILL_POINTS)[number];

interface Armed {
  readonly point: string;
  readonly side: string;
  count: number;
}

/** Fault tests name a file here; at the start and on SIGUSR2 it says where to strike: `point:before` or `point:after:3`, the third time. */
const orders = process.env['BERTH_KILL_FILE'];
let armed = orders === undefined ? undefined : parse(orders);
if (orders !== undefined) process.on('SIGUSR2', () => (armed = parse(orders)));

/** Runs the call; in fault tests, ends this process before or after it. */
export async function killPoint<T>(point: KillPoint, call: () => Promise<T>): Promise<T> {
  if (orders === undefined) return call();
  strike(point, 'before');
  const result = await call();
  strike(point, 'after');
  return result;
}

function strike(point: KillPoint, side: 'before' | 'after'): void {
  if (armed?.point !== point || armed.side !== side) return;
  armed.count -= 1;
  if (armed.count === 0) process.kill(process.pid, 'SIGKILL');
}

function parse(file: string): Armed | undefined {
  const [point, side, count] = readFileSync(file, 'utf8').trim().split(':');
  return point === undefined || side === undefined ? undefined : { point, side, count: Number(count ?? 1) };
}
