import { clusterOf, seatsOf } from '../sessions/container-plan.ts';
import { HOLDS_CPU } from '../sessions/lifecycle.ts';
import type { Session, SessionSpec } from '../sessions/session.ts';

/** What is counted on a node. CPUs to the thousandth, memory in bytes, devices exclusively by id. */
export interface Slots {
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly gpu: number;
}

/** What each container of a session reserves; an unreserved one asks for nothing and takes what is left. */
export const slotsOf = (spec: SessionSpec): Slots => ({ cpu: spec.cpu ?? 0, memoryBytes: spec.memoryBytes ?? 0, gpu: spec.gpu });

/** So many times as much. */
export const times = (count: number, { cpu, memoryBytes, gpu }: Slots): Slots => ({
  cpu: thousandths(cpu * count),
  memoryBytes: memoryBytes * count,
  gpu: gpu * count,
});

/** What all containers of a session reserve together. */
export const totalOf = (spec: SessionSpec): Slots => times(clusterOf(spec).size, slotsOf(spec));

export const thousandths = (cpu: number): number => Math.round(cpu * 1000) / 1000;

export const isReserved = (spec: SessionSpec): boolean => spec.cpu !== null || spec.memoryBytes !== null || spec.gpu > 0;

const NOTHING: Slots = { cpu: 0, memoryBytes: 0, gpu: 0 };

/** What it holds now: everything while it has a place, all but the CPU while frozen, nothing otherwise. */
export function heldBy(session: Session): Slots {
  const asked = totalOf(session.spec);
  if (session.grant === null) return NOTHING;
  if (HOLDS_CPU.includes(session.state)) return asked;
  return session.frozen ? { ...asked, cpu: 0 } : NOTHING;
}

/** Of that, what is on this node. */
export function heldOn(session: Session, node: string): Slots {
  const { cpu, memoryBytes, gpu } = slotsOf(session.spec);
  const here = session.grant === null ? 0 : seatsOf(session.grant).filter((seat) => seat.node === node).length;
  const held = heldBy(session);
  return times(here, { cpu: held.cpu > 0 ? cpu : 0, memoryBytes: held.memoryBytes > 0 ? memoryBytes : 0, gpu: held.gpu > 0 ? gpu : 0 });
}

export const holdsAnything = (session: Session): boolean => session.grant !== null && (HOLDS_CPU.includes(session.state) || session.frozen);
