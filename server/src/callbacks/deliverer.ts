import type { CallbackClaim, CallbackStore } from '../domain/deliveries/callback-store.ts';
import { callbackBody, deliveryId, type CallbackWord } from '../domain/deliveries/callback-payload.ts';
import type { Outcome } from '../domain/deliveries/callback.ts';
import { planTellings, type PlannedTelling } from '../domain/deliveries/delivery-plan.ts';
import { signatureOf } from '../domain/deliveries/signature.ts';
import type { Notifications, SessionStore } from '../domain/sessions/session-store.ts';
import type { Session } from '../domain/sessions/session.ts';
import { Places } from './places.ts';
import type { CallbackRequest } from './post-callback.ts';

/** Notifications may be missed, and servers die: so often all are looked at. */
const SWEEP_MS = 10_000;
/** Longer than the longest delivery: a claim that has lapsed is a dead server's. */
const LEASE_MS = 40_000;
const AT_ONCE = { all: 32, target: 4, owner: 8 };
const PAGE = 500;
/** More sessions than this are not remembered one by one. */
const MOST_HEARD = 1_000;

export interface DelivererParts {
  readonly callbacks: CallbackStore;
  readonly sessions: Pick<SessionStore, 'get' | 'events'>;
  readonly notifications: Pick<Notifications, 'onEvent'>;
  /** Throws only when it is stopped. */
  readonly post: (request: CallbackRequest, stopping: AbortSignal) => Promise<Outcome>;
  readonly keyOf: (userId: string) => string;
  readonly agent: string;
  readonly now: () => Date;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  readonly sweepMs?: number;
  readonly leaseMs?: number;
}

/**
 * Tells those who asked for it what happens to sessions: each session's events in order, by one server at a time, at least once.
 * The events in the table are the queue; nothing of a session's life waits for this.
 */
export class Deliverer {
  readonly #parts: DelivererParts;
  readonly #leaseMs: number;
  readonly #stopping = new AbortController();
  readonly #active = new Map<string, Promise<void>>();
  readonly #targets = new Places(AT_ONCE.target);
  readonly #owners = new Places(AT_ONCE.owner);
  #heard: Set<string> | 'all' = 'all';
  /** Some that are due were left where they are because there was no place for them. */
  #crowded = false;
  #isLooking = false;
  #looking: Promise<void> = Promise.resolve();
  #silence: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: DelivererParts) {
    this.#parts = parts;
    this.#leaseMs = parts.leaseMs ?? LEASE_MS;
  }

  start(): void {
    this.#silence = this.#parts.notifications.onEvent((sessionId) => this.#hear([sessionId]));
    this.#timer = setInterval(() => this.#hear('all'), this.#parts.sweepMs ?? SWEEP_MS);
    this.#hear('all');
  }

  /** Cuts off what is under way, which is then told by the next server, again if need be. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#silence?.();
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.all(this.#active.values());
  }

  #hear(sessionIds: Iterable<string> | 'all'): void {
    if (sessionIds === 'all' || this.#heard === 'all' || this.#heard.size > MOST_HEARD) this.#heard = 'all';
    else for (const id of sessionIds) this.#heard.add(id);
    if (!this.#isLooking) this.#looking = this.#look();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      while ((this.#heard === 'all' || this.#heard.size > 0) && !this.#stopping.signal.aborted) {
        this.#crowded ||= this.#active.size >= AT_ONCE.all;
        if (this.#active.size >= AT_ONCE.all) return;
        await this.#claim();
      }
    } catch (err) {
      this.#parts.log.warn({ err }, 'callbacks could not be looked for; trying again');
    } finally {
      this.#isLooking = false;
    }
  }

  async #claim(): Promise<void> {
    const among = this.#heard;
    this.#heard = new Set();
    const without = { targets: this.#targets.full(), owners: this.#owners.full() };
    // Before it is asked: what ends meanwhile has to look again.
    this.#crowded ||= without.targets.length > 0 || without.owners.length > 0;
    const limit = AT_ONCE.all - this.#active.size;
    const sessionIds = among === 'all' ? null : [...among];
    const claims = await this.#parts.callbacks.claim({ sessionIds, limit, leaseMs: this.#leaseMs, without });
    for (const claim of claims) this.#active.set(claim.id, this.#attend(claim));
    if (claims.length > 0) this.#hear(among);
  }

  async #attend(claim: CallbackClaim): Promise<void> {
    const { sessionId, target, ownerId } = claim;
    this.#targets.take(target);
    this.#owners.take(ownerId);
    let isAhead = false;
    try {
      isAhead = await this.#tellAll(claim);
      await this.#parts.callbacks.giveBack(claim);
    } catch (err) {
      // Its lease brings it back.
      this.#parts.log.warn({ err, sessionId }, 'a callback was not brought to its end; trying again');
    }
    this.#targets.free(target);
    this.#owners.free(ownerId);
    this.#active.delete(claim.id);
    const wasCrowded = this.#crowded;
    this.#crowded = false;
    // What happened since its events were read found it claimed.
    if (wasCrowded) this.#hear('all');
    else if (isAhead) this.#hear([sessionId]);
  }

  /** true: something was told, so there may be more. */
  async #tellAll(claim: CallbackClaim): Promise<boolean> {
    const { sessionId } = claim;
    for (let { after } = claim; ;) {
      const events = await this.#parts.sessions.events({ ownerId: null, sessionId, after, limit: PAGE });
      const session = await this.#parts.sessions.get(sessionId);
      const last = events.at(-1);
      if (session === undefined || last === undefined) return after !== claim.after;
      const tellings = planTellings(events, session, this.#parts.now());
      for (const telling of tellings) if (!(await this.#tell(claim, session, telling))) return false;
      // The rest is not told to anybody: it must not look as if it were due.
      const rest = { outcome: null, upTo: last.id, over: false, leaseMs: this.#leaseMs };
      if (tellings.at(-1)?.event !== last && !(await this.#parts.callbacks.note(claim, rest))) return false;
      if (events.length < PAGE) return true;
      after = last.id;
    }
  }

  /** false: this is not ours to tell any more. */
  async #tell(claim: CallbackClaim, session: Session, { event, words, dropped, last }: PlannedTelling): Promise<boolean> {
    const end = words.length - 1;
    for (const [at, word] of words.entries()) {
      const outcome = dropped === undefined ? await this.#post(claim, session, { event, word }) : { status: null, problem: dropped };
      if (outcome === undefined) return false;
      if (outcome.problem !== null) this.#logFailure(claim, word, { ...outcome, dropped: dropped !== undefined });
      const note = { outcome, upTo: at === end ? event.id : null, over: last && at === end, leaseMs: this.#leaseMs };
      if (!(await this.#parts.callbacks.note(claim, note))) return false;
    }
    return true;
  }

  /** undefined: it was stopped before it was known how it goes. */
  async #post(
    { url, ownerId }: CallbackClaim,
    session: Session,
    { event, word }: { event: PlannedTelling['event']; word: CallbackWord },
  ): Promise<Outcome | undefined> {
    const body = callbackBody(word, event, session);
    const headers = {
      'content-type': 'application/json',
      'user-agent': this.#parts.agent,
      'berth-delivery': deliveryId(word, event),
      'berth-signature': signatureOf(this.#parts.keyOf(ownerId), this.#parts.now(), body),
    };
    const { signal } = this.#stopping;
    if (signal.aborted) return undefined;
    return this.#parts.post({ url, headers, body }, signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
  }

  /** Of the URL nothing but the host: the rest may be a secret. */
  #logFailure(
    { sessionId, target }: CallbackClaim,
    event: CallbackWord,
    { status, problem, dropped }: Outcome & { dropped: boolean },
  ): void {
    const message = dropped ? 'a callback was dropped' : 'a callback was not delivered';
    this.#parts.log.info({ sessionId, target, event, status, problem }, message);
  }
}
