import { HOLDS_CPU } from '../sessions/lifecycle.ts';
import type { Session, SessionSpec } from '../sessions/session.ts';

/** What is counted on a node. CPUs to the thousandth, memory in bytes, devices exclusively by id. */
export interface Slots {
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly gpu: number;
}

/** What a session reserves; an unreserved one asks for nothing and takes what is left. */
export const slotsOf = (spec: SessionSpec): Slots => ({ cpu: spec.cpu ?? 0, memoryBytes: spec.memoryBytes ?? 0, gpu: spec.gpu });

export const isReserved = (spec: SessionSpec): boolean => spec.cpu !== null || spec.memoryBytes !== null || spec.gpu > 0;

/** What it holds now: everything while it has a place, all but the CPU while frozen, nothing otherwise. */
export function heldBy(session: Session): Slots {
  const asked = slotsOf(session.spec);
  if (session.grant === null) return { cpu: 0, memoryBytes: 0, gpu: 0 };
  if (HOLDS_CPU.includes(session.state)) return asked;
  return session.frozen ? { ...asked, cpu: 0 } : { cpu: 0, memoryBytes: 0, gpu: 0 };
}

export const holdsAnything = (session: Session): boolean => session.grant !== null && (HOLDS_CPU.includes(session.state) || session.frozen);
