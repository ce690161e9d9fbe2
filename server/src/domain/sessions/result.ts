import type { BatchResult } from '@berth/contract';
import { isFinal } from './lifecycle.ts';
import type { Session } from './session.ts';

/** Of a batch session that has ended. One that never ran has none; one that was stopped failed, whatever code its command ended with. */
export function resultOf({ type, state, ending }: Pick<Session, 'type' | 'state' | 'ending'>): BatchResult | null {
  if (type !== 'batch' || !isFinal(state) || state === 'cancelled') return null;
  return state === 'terminated' && ending?.finished === true && ending.exitCode === 0 ? 'success' : 'failure';
}
