import { imagePorts } from '../domain/images/image-ports.ts';
import { ASKED_AGAIN_MS, askedAgain, vacated } from '../domain/sessions/decide-on-cluster.ts';
import { fail, finish, type Action, type Move } from '../domain/sessions/decision.ts';
import { moveTo, note } from '../domain/sessions/lifecycle.ts';
import type { Session } from '../domain/sessions/session.ts';
import type { Sighting } from '../domain/sessions/see-together.ts';
import type { NewEvent, ReconcilerStore } from '../domain/sessions/session-store.ts';
import { unfitForImage } from '../domain/sessions/unfit-for-image.ts';
import { beginStep, startTimeline, type StepName } from '../domain/sessions/timeline.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { commitSession } from './commit-action.ts';
import { LEASE_MS } from './lease.ts';
import type { QueueRunner } from './queue-runner.ts';
import { SessionContainers, type ContainersParts } from './session-containers.ts';
import type { StartGate } from './start-gate.ts';
import type { StatisticsKeeper } from './statistics-keeper.ts';

/** What came of an action: look again (with what was learned), write this, or wait. */
export type Outcome =
  | { readonly kind: 'again'; readonly session?: Session }
  | { readonly kind: 'move'; readonly move: Move }
  | { readonly kind: 'save'; readonly next: Session; readonly event: NewEvent | null }
  | { readonly kind: 'wait'; readonly inMs: number };

export interface ActionsParts extends ContainersParts {
  readonly store: ReconcilerStore;
  readonly runtime: Runtime;
  readonly queue: QueueRunner;
  readonly startGate: StartGate;
  readonly statistics: Pick<StatisticsKeeper, 'countLast' | 'keep'>;
  readonly now: () => Date;
}

const PULL_LOOK_MS = 300;
const QUEUE_LOOK_MS = 10_000;

/** The verbs of `decide`, carried out. Each may be repeated after a crash at any point. */
export class Actions {
  private readonly parts: ActionsParts;
  private readonly containers: SessionContainers;

  constructor(parts: ActionsParts) {
    this.parts = parts;
    this.containers = new SessionContainers(parts);
  }

  /** `seen`: what it was decided upon. */
  perform(action: Action, session: Session, seen: readonly Sighting[] | undefined): Promise<Outcome> {
    switch (action) {
      case 'place':
        return this.place(session);
      case 'ensure-image':
        return this.ensureImage(session);
      case 'launch':
        return this.launch(session);
      case 'create':
        return this.create(session);
      case 'replace':
        return this.replace(session);
      case 'start':
        return this.start(session, seen);
      case 'freeze':
        return this.freeze(session);
      case 'thaw':
        return this.thaw(session);
      case 'stop':
        return this.stop(session);
      case 'keep-log':
        return this.keepLog(session);
      case 'release':
        return this.release(session);
      case 'ask-again':
        return this.askAgain(session);
      case 'commit':
        return commitSession(this.parts, session);
      case 'vacate':
        return this.vacate(session);
      case 'remove':
        return this.remove(session);
    }
  }

  private async place(session: Session): Promise<Outcome> {
    const { moved } = await this.parts.queue.run(session.id);
    const mine = moved.find(({ id }) => id === session.id);
    if (mine === undefined) {
      const startsInMs = (session.startsAt?.getTime() ?? 0) - this.parts.now().getTime();
      return { kind: 'wait', inMs: startsInMs > 0 ? Math.min(startsInMs, QUEUE_LOOK_MS) : QUEUE_LOOK_MS };
    }
    // Its generation is a new one: there is nothing to look at yet.
    if (this.parts.runtime.orchestrates) await this.create(mine);
    return { kind: 'again', session: mine };
  }

  private async ensureImage(session: Session): Promise<Outcome> {
    const { spec } = session;
    const now = this.parts.now();
    const image = await this.parts.runtime.ensureImage({
      node: session.grant?.node ?? '',
      reference: spec.image,
      pull: spec.pull,
      key: session.id,
    });
    if (image.phase === 'present') {
      const unfit = image.facts && unfitForImage(session, image.facts);
      if (unfit !== undefined) return { kind: 'move', move: fail(unfit) };
      const declared = image.facts === undefined ? null : imagePorts(image.facts);
      const next = moveTo(session, 'preparing', now, {
        reason: 'preparing its container',
        imageDigest: image.digest,
        imagePorts: declared,
      });
      return { kind: 'save', next, event: { kind: 'state', message: next.reason } };
    }
    const timeline = beginStep(session.timeline, 'image', now, image.progress);
    if (session.state === 'scheduled') {
      return {
        kind: 'save',
        next: moveTo(session, 'pulling', now, { reason: image.progress, timeline }),
        event: { kind: 'state', message: image.progress },
      };
    }
    if (image.progress === session.reason) return { kind: 'wait', inMs: PULL_LOOK_MS };
    const noted = note(session, { reason: image.progress, timeline });
    const saved = await this.parts.store.save(noted, { kind: 'progress', message: image.progress }, PULL_LOOK_MS);
    return saved ? { kind: 'wait', inMs: PULL_LOOK_MS } : { kind: 'again' };
  }

  private async launch(session: Session): Promise<Outcome> {
    const { launches, now } = this.parts;
    const digest = session.imageDigest;
    if (digest === null) throw new Error(`session ${session.id} is ${session.state} without an image`);
    let { timeline } = session;
    const mark = (step: StepName): void => {
      timeline = beginStep(timeline, step, now());
    };
    await launches.run(async () => {
      mark('storage');
      await this.containers.ensureStorages(session, digest);
    });
    mark('create');
    await this.containers.create(session, digest);
    await this.letListen(session);
    mark('start');
    await this.containers.start(session);
    mark(afterStart(session));
    return started({ ...session, timeline });
  }

  private async create(session: Session): Promise<Outcome> {
    const { image } = session.spec;
    await this.parts.launches.run(() => this.containers.ensureStorages(session, image));
    await this.containers.create(session, image);
    return { kind: 'again' };
  }

  /** The new generation is written down before anything of it exists: the sweep takes the old one for what it is. */
  private async replace(session: Session): Promise<Outcome> {
    // Of one that others deleted, something may be left.
    await this.containers.remove(session);
    const next = note(session, {
      generation: session.generation + 1,
      processStartedAt: null,
      logsKept: false,
      timeline: startTimeline(this.parts.now(), 'create'),
    });
    if (!(await this.parts.store.save(next, null, LEASE_MS)))
      return { kind: 'again', session: (await this.parts.store.get(session.id)) ?? session };
    await this.create(next);
    return { kind: 'again', session: next };
  }

  private async release(session: Session): Promise<Outcome> {
    await this.containers.remove(session);
    return { kind: 'again' };
  }

  private async askAgain(session: Session): Promise<Outcome> {
    await this.containers.remove(session);
    const next = askedAgain(session);
    const saved = await this.parts.store.save(next, { kind: 'notice', message: next.reason }, ASKED_AGAIN_MS);
    return saved ? { kind: 'wait', inMs: ASKED_AGAIN_MS } : { kind: 'again' };
  }

  private async vacate(session: Session): Promise<Outcome> {
    await this.containers.remove(session);
    return { kind: 'move', move: vacated() };
  }

  /** Input that ends with its first client says that there will be one. */
  private letListen(session: Session): Promise<void> {
    return this.parts.startGate.pass(session.id, session.spec.stdin === 'once');
  }

  private async start(session: Session, seen: readonly Sighting[] | undefined): Promise<Outcome> {
    const { now } = this.parts;
    if (session.processStartedAt === null) await this.letListen(session);
    const starting = beginStep(session.timeline, 'start', now());
    await this.containers.start(session, seen);
    return started({ ...session, timeline: beginStep(starting, afterStart(session), now()) });
  }

  private async freeze(session: Session): Promise<Outcome> {
    await this.containers.freeze(session);
    return { kind: 'again' };
  }

  private async thaw(session: Session): Promise<Outcome> {
    await this.containers.thaw(session);
    return { kind: 'again' };
  }

  private async stop(session: Session): Promise<Outcome> {
    await this.parts.statistics.countLast(session);
    await this.containers.stop(session);
    return { kind: 'again' };
  }

  private async keepLog(session: Session): Promise<Outcome> {
    const lastLog = await this.containers.keepLogs(session);
    return { kind: 'save', next: note(session, { logsKept: true, lastLog }), event: null };
  }

  private async remove(session: Session): Promise<Outcome> {
    await this.parts.statistics.keep(session);
    await this.containers.remove(session);
    return { kind: 'move', move: finish(session, this.parts.now()) };
  }
}

const afterStart = ({ spec }: Session): StepName => (spec.bootstrapScript === undefined ? 'ready' : 'bootstrap');

/** Written down only where readiness may take a while; else the move to running carries it. */
function started(session: Session): Outcome {
  const { port, bootstrapScript } = session.spec;
  if (port === null && bootstrapScript === undefined) return { kind: 'again', session };
  const reason = bootstrapScript === undefined ? `started; waiting for port ${port} to answer` : 'running its bootstrap script';
  return { kind: 'save', next: note(session, { reason }), event: { kind: 'progress', message: reason } };
}
