import type { SessionContainer } from '@berth/contract';
import { containerNames, MAIN, seatsOf } from './container-plan.ts';
import type { Session, SessionState, SubRecord } from './session.ts';

/** The containers of a session as far as they are known, main1 first. */
export function containerViews(session: Session): readonly SessionContainer[] {
  const seats = session.grant === null ? [] : seatsOf(session.grant);
  return containerNames(session.spec).map((name, rank) => ({
    name,
    role: name === MAIN ? 'main' : 'sub',
    // Empty until a cluster has decided.
    node: seats[rank]?.node || null,
    ...lifeOf(session, name),
  }));
}

type Life = Pick<SessionContainer, 'state' | 'exitCode' | 'reason'>;

function lifeOf(session: Session, name: string): Life {
  const { state, ending } = session;
  const usual = { state: stateOf(session), exitCode: null, reason: null };
  if (name === MAIN) {
    const { exitCode = null } = ending ?? {};
    return state === 'terminating' && (exitCode !== null || ending?.finished === true)
      ? { state: 'ended', exitCode, reason: null }
      : { ...usual, exitCode };
  }
  const record = session.subs.find((sub) => sub.name === name);
  const matters = record !== undefined && record.state !== 'running' && !FRESH.includes(state);
  if (!matters) return usual;
  return { state: usual.state === 'ended' ? 'ended' : record.state, exitCode: record.exitCode, reason: record.reason };
}

/** States after which all of its containers are to run, whatever was seen of them before. */
const FRESH: readonly SessionState[] = ['pending', 'scheduled', 'pulling', 'preparing', 'restarting'];

function stateOf({ state, frozen, startedAt }: Session): SessionContainer['state'] {
  switch (state) {
    case 'pending':
    case 'scheduled':
    case 'pulling':
    case 'preparing':
      return 'waiting';
    case 'running':
    case 'pausing':
    case 'restarting':
      return 'running';
    case 'terminating':
      return startedAt === null ? 'waiting' : 'running';
    case 'paused':
      return frozen ? 'frozen' : 'ended';
    case 'terminated':
    case 'cancelled':
    case 'error':
      return 'ended';
  }
}

const lacking = (subs: readonly SubRecord[]): readonly SubRecord[] => subs.filter(({ state }) => state !== 'running');

/** It runs, and one of its containers does not. */
export const isDegraded = ({ state, subs }: Pick<Session, 'state' | 'subs'>): boolean => state === 'running' && lacking(subs).length > 0;

const NAMED_AT_MOST = 3;

/** Why a session is called running, in words: also what it runs without. */
export function runningReason(subs: readonly SubRecord[]): string {
  const without = lacking(subs);
  if (without.length === 0) return 'running';
  const told = without.slice(0, NAMED_AT_MOST).map(({ name, reason }) => `${name} ${reason ?? 'does not run'}`);
  const more = without.length - told.length;
  return `running, degraded: ${[...told, ...(more > 0 ? [`${more} more`] : [])].join('; ')}`;
}
