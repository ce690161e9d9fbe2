import type { LifePolicy, Seen } from './decision.ts';
import { EXAMPLE_SPEC, T0 } from './example-session.ts';
import type { SubRecord } from './session.ts';

/** A session of three containers, for tests of the pure rules; and how patient they are. */
export const MINUTE = 60_000;
export const onEngine: LifePolicy = {
  pendingMs: 60 * MINUTE,
  pullMs: 60 * MINUTE,
  readyMs: 10 * MINUTE,
  pauseMs: 2 * MINUTE,
  restartMs: 5 * MINUTE,
  stopMs: 2 * MINUTE,
  freezeForMs: 30 * MINUTE,
  canFreeze: true,
  orchestrates: false,
  nodeLostMs: 5 * MINUTE,
};
export const onCluster: LifePolicy = { ...onEngine, canFreeze: false, orchestrates: true };
export const later = (ms: number): Date => new Date(T0.getTime() + ms);
export const STARTED = later(1_000);
export const AGAIN = later(9_000);

const seat = { node: 'n1', cpus: 1, memoryBytes: 1e9, devices: [] };
export const grant = { ...seat, subs: [seat, seat] };
const nowhere = { ...seat, node: '' };
export const asked = { ...nowhere, subs: [nowhere, nowhere], askedAt: T0.toISOString() };
export const spec = { ...EXAMPLE_SPEC, cluster: { size: 3, mode: 'single-node' } } as const;
export const ran: SubRecord = { name: '', state: 'running', startedAt: STARTED.toISOString(), exitCode: null, reason: null };
const subs = ['sub1', 'sub2'].map((name) => ({ ...ran, name }));
export const placed = { spec, grant, generation: 1, imageDigest: 'sha256:1' };
export const hasRun = { ...placed, processStartedAt: STARTED, startedAt: STARTED, subs, reason: 'running' };

export const absent: Seen = { phase: 'absent', ready: true };
export const up: Seen = { phase: 'running', node: 'n1', startedAt: STARTED, ready: true };
