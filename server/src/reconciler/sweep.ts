import { isFinal } from '../domain/sessions/lifecycle.ts';
import { containerNames } from '../domain/sessions/container-plan.ts';
import type { LiveSession, QuarantineStore, ReconcilerStore, Stray } from '../domain/sessions/session-store.ts';
import type { ContainerPhase, ContainerRef, Observed, Runtime } from '../runtimes/runtime.ts';

export interface SweepParts {
  readonly store: ReconcilerStore;
  readonly quarantine: QuarantineStore;
  readonly runtime: Runtime;
  readonly hint: (sessionId: string) => Promise<void>;
  readonly now: () => Date;
  /** A container that no session knows is stopped after this long, removed after that long. */
  readonly policy: { readonly stopAfterMs: number; readonly removeAfterMs: number; readonly graceSeconds: number };
  readonly log: { warn(fields: object, message: string): void };
}

export interface SweepReport {
  readonly containers: number;
  readonly corrected: number;
  readonly removed: number;
  readonly quarantined: number;
}

/** Compares everything the engine runs under our labels with the table. What is unknown is kept aside, never removed at first sight. */
export async function sweep(parts: SweepParts): Promise<SweepReport> {
  // The engine before the table: whatever is there by then was written down before it was made.
  const traces = await parts.runtime.traces();
  const observed = await parts.runtime.list();
  const known = await parts.store.known([...new Set([...traces, ...observed.map(({ ref }) => ref.sessionId)])]);
  const strays: Stray[] = [];
  let removed = 0;
  for (const { ref } of observed) {
    const row = known.get(ref.sessionId);
    if (row === undefined || ref.generation > row.generation) strays.push(ref);
    else if (isFinal(row.state) || ref.generation < row.generation) {
      parts.log.warn({ ...ref, state: row.state }, 'removing a container whose session has ended');
      await parts.runtime.remove(ref);
      removed += 1;
    }
  }
  const inhabited = new Set(observed.map(({ ref }) => ref.sessionId));
  for (const id of traces.filter((trace) => !inhabited.has(trace))) {
    const row = known.get(id);
    if (row === undefined || isFinal(row.state)) await parts.runtime.clear(id);
  }
  const corrected = await correct(parts, observed);
  await keepAside(parts, strays);
  return { containers: observed.length, corrected, removed, quarantined: strays.length };
}

/** Live sessions whose container is not as it should be are looked at now. */
async function correct(parts: SweepParts, observed: readonly Observed[]): Promise<number> {
  const found = new Map(observed.map((one) => [keyOf(one.ref), one]));
  let corrected = 0;
  for (const session of await parts.store.live()) {
    const asExpected = ({ state, ref }: Expected): boolean => {
      const { phase, silent } = found.get(keyOf(ref)) ?? NONE;
      // Of a node that falls silent, nothing may tell: its pods need not change by that.
      return silent === undefined && isAsExpected(state, phase, parts.runtime.orchestrates);
    };
    if (expectedOf(session).every(asExpected)) continue;
    corrected += 1;
    await parts.hint(session.id);
  }
  return corrected;
}

interface Expected {
  readonly state: string;
  readonly ref: ContainerRef;
}

/** Its containers, but for those that are known not to run any more. */
function expectedOf({ id, state, generation, cluster, subs }: LiveSession): readonly Expected[] {
  const ended = new Set(subs.flatMap((sub) => (sub.state === 'ended' ? [sub.name] : [])));
  const names = containerNames(cluster === null ? {} : { cluster }).filter((name) => !ended.has(name));
  return names.map((container) => ({ state, ref: { sessionId: id, generation, container } }));
}

const keyOf = ({ sessionId, generation, container }: ContainerRef): string => `${sessionId} ${generation} ${container}`;
const NONE: Pick<Observed, 'phase' | 'silent'> = { phase: 'absent' };

function isAsExpected(state: string, phase: ContainerPhase, orchestrated: boolean): boolean {
  if (state === 'running') return phase === 'running';
  if (state === 'paused' && orchestrated) return phase === 'absent';
  if (state === 'paused') return phase === 'frozen' || phase === 'exited';
  return true;
}

async function keepAside(parts: SweepParts, strays: readonly Stray[]): Promise<void> {
  const now = parts.now();
  const { policy, runtime, quarantine, log } = parts;
  for (const stray of await quarantine.see(strays, now)) {
    const ageMs = now.getTime() - stray.firstSeen.getTime();
    if (ageMs === 0) log.warn({ ...stray }, 'a container with our labels belongs to no session; it is kept aside');
    if (ageMs > policy.removeAfterMs) {
      log.warn({ ...stray }, 'removing a container that no session has known for long');
      await runtime.remove(stray);
    } else if (ageMs > policy.stopAfterMs && stray.stoppedAt === null) {
      await runtime.stop(stray, policy.graceSeconds);
      await quarantine.stopped(stray, now);
    }
  }
}
