import { containerOf } from '../domain/sessions/container-plan.ts';
import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { isFinal } from '../domain/sessions/lifecycle.ts';
import type { Session } from '../domain/sessions/session.ts';
import type { Notifications } from '../domain/sessions/session-store.ts';
import { RuntimeError, type ContainerRef } from '../runtimes/runtime.ts';
import { tailOf, withoutStart, type StreamBytes } from './log-chunks.ts';
import { LogPosition } from './log-position.ts';
import { keptLog, readLog, type LogParts } from './session-log.ts';
import { SessionWatch } from './session-watch.ts';

const POLL_MS = 2_000;
const SETTLING_MS = 200;

export interface FollowLog {
  readonly session: Session;
  readonly tail: number | undefined;
  readonly signal: AbortSignal;
}

/** The log as it grows: waits for the start, goes on over restarts, and ends with the session, having given everything. */
export async function* followLog(parts: LogParts & { notifications: Notifications }, request: FollowLog): AsyncGenerator<KeptChunk> {
  const { signal } = request;
  const watch = new SessionWatch(parts, request.session.id);
  const follower = new Follower(parts, request);
  try {
    while (!signal.aborted) {
      const session = await watch.read(signal);
      if (isFinal(session.state)) {
        yield* follower.rest(session);
        return;
      }
      yield* follower.pass(session);
      const settling = session.state === 'preparing' || session.state === 'restarting' || session.state === 'terminating';
      await watch.wait(settling ? SETTLING_MS : POLL_MS, signal);
    }
  } finally {
    watch.close();
  }
}

class Follower {
  readonly #parts: LogParts;
  readonly #signal: AbortSignal;
  readonly #tail: number | undefined;
  #position: LogPosition | undefined;
  #generation = -1;
  /** The engine's start time of the process whose output has been given to its end. */
  #done: number | undefined;

  constructor(parts: LogParts, request: FollowLog) {
    this.#parts = parts;
    this.#signal = request.signal;
    this.#tail = request.tail;
  }

  /** The output of the process that runs now, to its end; nothing while none runs or its output was given. */
  async *pass(session: Session): AsyncGenerator<KeptChunk> {
    const ref = containerOf(session);
    try {
      const { phase, startedAt } = await this.#parts.runtime.inspect(ref);
      if (phase !== 'running' && phase !== 'frozen') return;
      if (session.generation !== this.#generation) this.#turnTo(session.generation);
      else if (startedAt !== undefined && startedAt.getTime() === this.#done) return;
      yield* this.#position === undefined ? this.#firstRead(ref) : this.#readOn(ref, this.#position, session);
      this.#done = startedAt?.getTime();
      await this.#settle(session);
    } catch (error) {
      // The engine or the container went away: the row will tell, and what is missing is read then.
      if (!(error instanceof RuntimeError)) throw error;
    }
  }

  /** What is kept of it beyond what was given. */
  async *rest(session: Session): AsyncGenerator<KeptChunk> {
    const kept = await keptLog(this.#parts.sessions, session.id);
    if (this.#position !== undefined) yield* this.#position.rest(kept);
    else yield* this.#tail === undefined ? kept : tailOf(kept, this.#tail);
  }

  #turnTo(generation: number): void {
    if (this.#generation !== -1 && this.#position !== undefined) this.#position = new LogPosition('beginning');
    this.#generation = generation;
  }

  #firstRead(ref: ContainerRef): AsyncGenerator<KeptChunk> {
    this.#position = new LogPosition(this.#tail === undefined ? 'beginning' : 'tail');
    return this.#stream(ref, this.#position, this.#tail === undefined ? {} : { tailLines: this.#tail });
  }

  async *#readOn(ref: ContainerRef, position: LogPosition, session: Session): AsyncGenerator<KeptChunk> {
    const skip = position.locateIn(await readLog(this.#parts, session, this.#signal));
    yield* this.#stream(ref, position, { skip });
  }

  async *#stream(ref: ContainerRef, position: LogPosition, from: { tailLines?: number; skip?: StreamBytes }): AsyncGenerator<KeptChunk> {
    const tail = from.tailLines === undefined ? {} : { tailLines: from.tailLines };
    const skip = { stdout: 0, stderr: 0, ...from.skip };
    for await (const chunk of this.#parts.runtime.logs(ref, { follow: true, signal: this.#signal, ...tail })) {
      const [unread] = withoutStart([chunk], skip);
      skip[chunk.stream] -= chunk.data.length - (unread?.data.length ?? 0);
      if (unread === undefined) continue;
      position.advance(unread);
      yield unread;
    }
  }

  /** Who began at the tail learns where that was, before a next process prints the same lines again. */
  async #settle(session: Session): Promise<void> {
    this.#position?.settleIn(await readLog(this.#parts, session, this.#signal));
  }
}
