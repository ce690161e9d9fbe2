import type { Cause } from '@berth/contract';
import { MAIN } from './container-plan.ts';
import { isOldProcess, type Seen, type SubSeen } from './decision.ts';
import type { Session } from './session.ts';

/** What was seen of one container. */
export interface Sighting {
  readonly name: string;
  readonly seen: Seen;
}
interface Group {
  readonly session: Session;
  readonly main: Seen;
  readonly subs: readonly Sighting[];
}

/**
 * What was seen of all containers of a session, main1 first, as if it had one: absent, created while one of them has not been
 * started, running when all run. Once it runs, and when it ends, main1 leads; the others are told by `subs`.
 */
export function seeTogether(session: Session, sightings: readonly Sighting[], { orchestrates }: { readonly orchestrates: boolean }): Seen {
  const [main, ...subs] = sightings;
  if (main === undefined) throw new Error(`session ${session.id} has no container`);
  if (subs.length === 0) return main.seen;
  const group = { session, main: main.seen, subs };
  return { ...(orchestrates ? onCluster(group) : onEngine(group)), subs: subs.map(subSeen) };
}

const allOf = ({ main, subs }: Group): readonly Seen[] => [main, ...subs.map(({ seen }) => seen)];
const runs = ({ phase }: Seen): boolean => phase === 'running';
const isFrozen = ({ phase }: Seen): boolean => phase === 'frozen';
const exists = ({ phase }: Seen): boolean => phase !== 'absent';
const hasEnded = ({ phase }: Seen): boolean => phase === 'exited';
const isHeard = ({ silent }: Seen): boolean => silent === undefined;

function onEngine(group: Group): Seen {
  switch (group.session.state) {
    case 'running':
      return runs(group.main) && allOf(group).some(isFrozen) ? { ...group.main, phase: 'frozen' } : group.main;
    case 'pausing':
    case 'paused':
      return whilePaused(group);
    case 'terminating':
      return windingDown(group);
    default:
      return startingOnEngine(group);
  }
}

/** What runs is to be frozen or stopped; main1 that has ended by itself is no pause. */
function whilePaused(group: Group): Seen {
  const { session, main } = group;
  const all = allOf(group);
  const leads = session.state === 'pausing' ? !runs(main) && !isFrozen(main) : main.phase === 'absent';
  if (leads) return main;
  if (all.some(runs)) return { ...main, phase: 'running' };
  if (session.frozen && hasEnded(main)) return main;
  return all.some(isFrozen) ? { ...main, phase: 'frozen' } : main;
}

/** Anything that ran before and does not now is started again, anything that is missing is made: only main1 holds what cannot be made again. */
function startingOnEngine(group: Group): Seen {
  const { session, main, subs } = group;
  if (main.phase === 'absent' || (hasEnded(main) && !isOldProcess(session, main))) return main;
  const failed = subs.find((sub) => hasEnded(sub.seen) && sub.seen.interrupted !== true && !isOldSub(session, sub));
  if (failed !== undefined) return failedStart(failed);
  const old = isOldProcess(session, main) && runs(main) ? main : subs.find((sub) => runs(sub.seen) && isOldSub(session, sub))?.seen;
  if (session.state === 'restarting' && old !== undefined) return stillOld(session);
  const all = allOf(group);
  if (all.some(isFrozen)) return { ...main, phase: 'frozen' };
  return all.every(runs) ? allUp(group) : NOT_YET;
}

/** Ready when each is. */
function allUp(group: Group): Seen {
  const all = allOf(group);
  const bootstrapping = all.some((one) => one.bootstrapping === true);
  return { ...group.main, ready: all.every(({ ready }) => ready), ...(bootstrapping && { bootstrapping }) };
}

const isOldSub = ({ subs }: Session, { name, seen }: Sighting): boolean => {
  const before = subs.find((sub) => sub.name === name)?.startedAt ?? null;
  return before !== null && seen.startedAt?.toISOString() === before;
};

const stillOld = ({ processStartedAt }: Session): Seen => ({
  phase: 'running',
  ready: false,
  ...(processStartedAt !== null && { startedAt: processStartedAt }),
});

function onCluster(group: Group): Seen {
  const { session, main } = group;
  switch (session.state) {
    case 'running':
      return main;
    case 'pausing':
    case 'paused':
    case 'terminating':
      return windingDown(group);
    case 'restarting':
      return session.processStartedAt === null ? startingOnCluster(group) : givingUp(group);
    default:
      return session.grant === null
        ? allOf(group).some((one) => exists(one) && isHeard(one))
          ? NOT_YET
          : NOTHING
        : startingOnCluster(group);
  }
}

const NOT_YET: Seen = { phase: 'created', ready: false };
const NOTHING: Seen = { phase: 'absent', ready: false };

/** The containers of a generation whose place the next one takes. A node that says nothing holds nobody up: its pods have names of their own. */
function givingUp(group: Group): Seen {
  const heard = allOf(group).filter(isHeard);
  if (heard.some(runs)) return stillOld(group.session);
  if (hasEnded(group.main) && isHeard(group.main)) return group.main;
  return heard.some(exists) ? { ...stillOld(group.session), phase: 'exited' } : NOTHING;
}

function startingOnCluster(group: Group): Seen {
  const { main, subs } = group;
  const all = allOf(group);
  if (hasEnded(main)) return main;
  const failed = subs.find(({ seen }) => hasEnded(seen));
  if (failed?.seen.interrupted === true) return { phase: 'exited', interrupted: true, ready: false };
  if (failed !== undefined) return failedStart(failed);
  const silent = all.find((one) => !isHeard(one))?.silent;
  if (silent !== undefined) return { ...main, silent };
  if (!all.every(exists)) return NOTHING;
  return all.every(runs) ? allUp(group) : onTheirWay(group);
}

/** None is let run before each has its place, and could be. */
function onTheirWay(group: Group): Seen {
  const named = [{ name: MAIN, seen: group.main }, ...group.subs];
  const placed = named.filter(({ seen }) => seen.node !== undefined);
  const waiting = named.flatMap(({ name, seen }) => (seen.waiting === undefined ? [] : [{ name, waiting: seen.waiting }]));
  const first = ['room', 'image', 'container']
    .map((what) => waiting.find((one) => one.waiting.for === what))
    .find((one) => one !== undefined);
  return {
    ...NOT_YET,
    ...(placed.length === named.length && group.main.node !== undefined && { node: group.main.node }),
    ...(placed.length > 0 && placed.length < named.length && { isPartlyPlaced: true as const }),
    ...(first !== undefined && { waiting: told(first) }),
  };
}

function told({ name, waiting }: { name: string; waiting: NonNullable<Seen['waiting']> }): NonNullable<Seen['waiting']> {
  if (waiting.for !== 'room') return { ...waiting, message: `${name}: ${waiting.message}` };
  return { ...waiting, reasons: waiting.reasons.map(({ node, reason }) => ({ node, reason: `${name}: ${reason}` })) };
}

/** All of it is to end. Whoever cannot be heard is not waited for, as long as others can. */
function windingDown(group: Group): Seen {
  const { session, main } = group;
  const all = allOf(group);
  const heard = all.filter(isHeard);
  const live = heard.find((one) => runs(one) || isFrozen(one));
  if (live !== undefined) return { phase: live.phase, ready: false };
  if (hasEnded(main) && isHeard(main)) return main;
  if (heard.some(hasEnded)) return { phase: 'exited', ready: false };
  if (heard.some(exists)) return NOT_YET;
  const silent = session.state === 'terminating' ? all.find((one) => exists(one) && !isHeard(one)) : undefined;
  return silent ?? NOTHING;
}

/** One that could not be started, or did not last until all ran, is the whole session's failure. */
function failedStart({ name, seen }: Sighting): Seen {
  const { cause, exitCode } = seen;
  const own: Cause = {
    code: 'start-failed',
    message: `its process ended before the session ran, exit ${exitCode ?? 'unknown'}`,
    remedy: `see what it printed: berth session logs --container ${name}`,
  };
  const { code, message, remedy } = cause ?? own;
  return { phase: 'exited', ready: false, cause: { code, message: `${name}: ${message}`, remedy } };
}

function subSeen({ name, seen }: Sighting): SubSeen {
  const { startedAt, exitCode, silent, node } = seen;
  const state = !runs(seen) && !isFrozen(seen) ? 'ended' : silent === undefined ? 'running' : 'silent';
  return {
    name,
    state,
    startedAt: startedAt?.toISOString() ?? null,
    exitCode: exitCode ?? null,
    reason: state === 'running' ? null : whyNot(seen),
    ...(node !== undefined && { node }),
  };
}

function whyNot({ phase, cause, silent, exitCode }: Seen): string {
  if (phase === 'absent') return 'is gone: somebody outside Berth removed it';
  if (phase === 'created') return 'was not started';
  if (cause !== undefined) return `failed: ${cause.message}`;
  return phase === 'exited' || silent === undefined ? `ended, exit ${exitCode ?? 'unknown'}` : `is not heard of: ${silent.message}`;
}
