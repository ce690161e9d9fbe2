import { decide, needsLook } from '../domain/sessions/decide.ts';
import { fail, type Decision, type LifePolicy, type Seen } from '../domain/sessions/decision.ts';
import { containersOf, MAIN } from '../domain/sessions/container-plan.ts';
import { runningReason } from '../domain/sessions/container-view.ts';
import { isFinal, moveTo, note } from '../domain/sessions/lifecycle.ts';
import type { Session } from '../domain/sessions/session.ts';
import { seeTogether, type Sighting } from '../domain/sessions/see-together.ts';
import type { NewEvent, ReconcilerStore } from '../domain/sessions/session-store.ts';
import { closeAll } from '../domain/sessions/timeline.ts';
import { RuntimeError, type ContainerRef, type Runtime } from '../runtimes/runtime.ts';
import type { Actions, Outcome } from './actions.ts';
import { LEASE_MS } from './lease.ts';
import type { Probe } from './probe.ts';

const MAX_STEPS = 40;
const MAX_ATTEMPTS = 5;

export interface StepperParts {
  readonly store: ReconcilerStore;
  readonly runtime: Runtime;
  readonly actions: Actions;
  readonly probe: Probe;
  readonly policy: LifePolicy;
  readonly now: () => Date;
}

/** The session to go on with, or undefined when it is settled for now; and what was seen of its containers, if that still holds. */
interface Step {
  readonly session: Session | undefined;
  readonly seen?: readonly Sighting[] | undefined;
}
const SETTLED: Step = { session: undefined };

/** Takes one session as far as it goes now: look, decide, act or move, again, until there is nothing to do but wait. */
export class Stepper {
  private readonly parts: StepperParts;

  /** Told in how many milliseconds a session will be due. */
  onLater: (inMs: number) => void = () => undefined;

  constructor(parts: StepperParts) {
    this.parts = parts;
  }

  /** `hinted` fires when something new happened to this session: a readiness probe under way is cut short. */
  async settle(claimed: Session, hinted: AbortSignal): Promise<void> {
    let session: Session | undefined = claimed;
    let seen: readonly Sighting[] | undefined;
    for (let steps = 0; session !== undefined && steps < MAX_STEPS; steps += 1) {
      ({ session, seen } = await this.step(session, seen, hinted));
    }
    if (session !== undefined) await this.later(session, 1_000);
  }

  private async step(session: Session, before: readonly Sighting[] | undefined, hinted: AbortSignal): Promise<Step> {
    if (isFinal(session.state)) return SETTLED;
    try {
      const seen = needsLook(session, this.parts.policy) ? (before ?? (await this.look(session, hinted))) : undefined;
      const together = seen === undefined ? NOT_LOOKED : seeTogether(session, seen, this.parts.policy);
      const decision = decide(session, together, this.parts.now(), this.parts.policy);
      if (decision.kind !== 'act') return await this.carryOut(session, decision, seen);
      return await this.follow(session, await this.parts.actions.perform(decision.action, session, seen));
    } catch (error) {
      if (error instanceof RuntimeError) return this.cope(session, error);
      throw error;
    }
  }

  private look(session: Session, hinted: AbortSignal): Promise<readonly Sighting[]> {
    return Promise.all(containersOf(session).map(async (ref) => ({ name: ref.container, seen: await this.lookAt(session, ref, hinted) })));
  }

  private async lookAt(session: Session, ref: ContainerRef, hinted: AbortSignal): Promise<Seen> {
    const observed = await this.parts.runtime.inspect(ref);
    const { port } = session.spec;
    if (observed.bootstrapping === true) return { ...observed, ready: false };
    const asks = ref.container === MAIN && port !== null && asksPort(session, observed.phase);
    return { ...observed, ready: !asks || (observed.answers ?? (await this.parts.probe(ref, port, hinted))) };
  }

  private async carryOut(session: Session, decision: Exclude<Decision, { kind: 'act' }>, seen?: readonly Sighting[]): Promise<Step> {
    const { store, now } = this.parts;
    if (decision.kind === 'wait') {
      const { session: calm } = await this.forgetTrouble(session);
      if (calm !== undefined) await this.later(calm, decision.inMs);
      return SETTLED;
    }
    if (decision.kind === 'note') {
      const event = decision.event === undefined ? null : { kind: decision.event, message: decision.reason };
      return this.save(note(session, { ...decision.changes, reason: decision.reason }), event, seen);
    }
    const at = now();
    const over = decision.to !== 'scheduled' && decision.to !== 'pulling' && decision.to !== 'preparing';
    const changes = { ...(over ? { timeline: closeAll(session.timeline, at) } : {}), ...decision.changes };
    const moved = moveTo(session, decision.to, at, { reason: decision.reason, ...changes });
    const step = await this.save(moved, { kind: 'state', message: moved.reason }, seen);
    const state = step.session?.state;
    if (state !== undefined && (isFinal(state) || state === 'paused')) await store.wakePending();
    return step;
  }

  private async follow(session: Session, outcome: Outcome): Promise<Step> {
    switch (outcome.kind) {
      case 'again':
        return { session: outcome.session ?? session };
      case 'move':
        return this.carryOut(session, outcome.move);
      case 'save':
        return this.save(outcome.next, outcome.event);
      case 'wait':
        await this.later(session, outcome.inMs);
        return SETTLED;
    }
  }

  private async later(session: Session, inMs: number | null): Promise<void> {
    await this.parts.store.lookAgain(session.id, session.revision, inMs);
    if (inMs !== null) this.onLater(inMs);
  }

  /** Compare-and-set; somebody else was faster: go on with what she wrote. Our own writing touches no container: what was seen still holds. */
  private async save(next: Session, event: NewEvent | null, seen?: readonly Sighting[]): Promise<Step> {
    const saved = await this.parts.store.save(next, event, isFinal(next.state) ? null : LEASE_MS);
    if (!saved) return { session: await this.parts.store.get(next.id) };
    const isOpen = seen === undefined || seen.some(({ name, seen: { phase } }) => name === MAIN && asksPort(next, phase));
    return { session: next, seen: isOpen ? undefined : seen };
  }

  /** The engine answers again: the reason says what is true now. */
  private async forgetTrouble(session: Session): Promise<Step> {
    if (session.attempts === 0) return { session };
    return this.save(
      note(session, { attempts: 0, reason: session.state === 'running' ? runningReason(session.subs) : session.reason }),
      null,
    );
  }

  /** Silence of the engine proves nothing about the container, so it never fails a session; other errors do after some tries. */
  private async cope(session: Session, error: RuntimeError): Promise<Step> {
    const attempts = session.attempts + 1;
    const patient = error.kind === 'unreachable' || session.state === 'terminating' || session.state === 'pausing';
    if (!patient && (error.kind === 'fatal' || attempts > MAX_ATTEMPTS)) return this.carryOut(session, fail(error.failure));
    const reason = error.failure.message;
    const event: NewEvent | null = reason === session.reason ? null : { kind: 'notice', message: reason };
    const { session: noted } = await this.save(note(session, { attempts, reason }), event);
    if (noted !== undefined) await this.later(noted, backoffMs(attempts));
    return SETTLED;
  }
}

/** Whether somebody waits for its port to answer. */
const asksPort = ({ state, spec }: Session, phase: Seen['phase']): boolean =>
  spec.port !== null && phase === 'running' && (state === 'preparing' || state === 'restarting');

const NOT_LOOKED: Seen = { phase: 'absent', ready: false };
const backoffMs = (attempts: number): number => Math.min(250 * 2 ** (attempts - 1), 10_000);
