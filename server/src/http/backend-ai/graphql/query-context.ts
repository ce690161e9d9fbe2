import type { Surface } from '../call.ts';
import { Refusal } from '../refusal.ts';
import type { SignedCaller } from '../signature-check.ts';
import type { People } from './people.ts';

/** One query: who asks, and what it has learnt on the way. */
export interface QueryContext {
  readonly surface: Surface;
  readonly caller: SignedCaller;
  readonly people: People;
}

export function requireAdmin({ caller: { user } }: QueryContext, what: string): void {
  if (user.role !== 'admin') throw new Refusal('insufficient-privilege', `only administrators see ${what}`);
}
