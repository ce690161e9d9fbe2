import { formatDuration, type Cause } from '@berth/contract';
import { age, fail, move, recorded, wait, type Decision, type Seen } from './decision.ts';
import type { Session } from './session.ts';
import { beginStep, openStep } from './timeline.ts';

/** Its containers run: until their bootstrap scripts are done and the declared port answers. Each may take `limitMs`. */
export function untilReady(session: Session, seen: Seen, now: Date, limitMs: number): Decision {
  if (seen.bootstrapping === true) return whileBootstrapping(session, now, limitMs);
  if (seen.ready) {
    return move('running', 'running', {
      processStartedAt: seen.startedAt ?? now,
      startedAt: session.startedAt ?? now,
      ...recorded(seen),
      frozen: false,
      willStopAt: null,
    });
  }
  if (sinceStep(session, 'bootstrap', now) !== undefined)
    return say(`started; waiting for port ${session.spec.port} to answer`, beginStep(session.timeline, 'ready', now));
  const waited = sinceStep(session, 'ready', now) ?? age(session, now);
  return waited > limitMs ? fail(neverAnswered(session, limitMs)) : wait(100);
}

/** Nothing tells when it is done: looked for ever more seldom, after a tenth of the time it has taken so far. */
const [SOONEST_MS, LATEST_MS] = [100, 2_000];

function whileBootstrapping(session: Session, now: Date, limitMs: number): Decision {
  const ms = sinceStep(session, 'bootstrap', now);
  if (ms === undefined) return say('running its bootstrap script', beginStep(session.timeline, 'bootstrap', now));
  return ms > limitMs ? fail(neverBootstrapped(limitMs)) : wait(Math.min(Math.max(ms / 10, SOONEST_MS), LATEST_MS));
}

/** How long it has been at this step of its launch; undefined: it is at another. */
function sinceStep({ timeline }: Session, name: 'bootstrap' | 'ready', now: Date): number | undefined {
  const step = openStep(timeline);
  return step?.step === name ? now.getTime() - Date.parse(step.startedAt) : undefined;
}

const say = (reason: string, timeline: Session['timeline']): Decision => ({
  kind: 'note',
  reason,
  changes: { timeline },
  event: 'progress',
});

const neverAnswered = (session: Session, limitMs: number): Cause => ({
  code: 'port-never-answered',
  message: `port ${session.spec.port} did not answer within ${formatDuration(limitMs)}`,
  remedy: 'look at its log: the program may listen on another port, or on 127.0.0.1 only; it must listen on 0.0.0.0',
});
const neverBootstrapped = (limitMs: number): Cause => ({
  code: 'bootstrap-failed',
  message: `its bootstrap script was not done within ${formatDuration(limitMs)}, so its command was not run`,
  remedy: 'what takes so long belongs into the image; its last lines, in "berth session logs", show how far it came',
});
