import { containerOf } from '../domain/sessions/container-plan.ts';
import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { isFinal } from '../domain/sessions/lifecycle.ts';
import type { Session } from '../domain/sessions/session.ts';
import type { Notifications } from '../domain/sessions/session-store.ts';
import { RuntimeError } from '../runtimes/runtime.ts';
import { bytesIn, Skipping, tailOf, withoutStart, type LogStream } from './log-chunks.ts';
import { LogPosition } from './log-position.ts';
import { earlierLog, keptLog, readLog, type LogOf, type LogParts } from './session-log.ts';
import { SessionWatch } from './session-watch.ts';

const POLL_MS = 2_000;
const SETTLING_MS = 200;

export interface FollowLog extends LogOf {
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
  readonly #container: string;
  #position: LogPosition | undefined;
  /** The engine's start time of the process whose output has been given to its end. */
  #done: number | undefined;

  constructor(parts: LogParts, request: FollowLog) {
    this.#parts = parts;
    this.#signal = request.signal;
    this.#tail = request.tail;
    this.#container = request.container;
  }

  /** The output of the process that runs now, to its end; nothing while none runs or its output was given. */
  async *pass(session: Session): AsyncGenerator<KeptChunk> {
    const ref = containerOf(session, this.#container);
    try {
      const { phase, startedAt } = await this.#parts.runtime.inspect(ref);
      if (phase !== 'running' && phase !== 'frozen') return;
      if (startedAt !== undefined && startedAt.getTime() === this.#done) return;
      if (this.#position === undefined) yield* this.#begin(session);
      else yield* this.#readOn(session, this.#position);
      this.#done = startedAt?.getTime();
    } catch (error) {
      // The engine or the container went away: the row will tell, and what is missing is read then.
      if (!(error instanceof RuntimeError)) throw error;
    }
  }

  #of(session: Session): LogOf {
    return { session, container: this.#container };
  }

  /** What is kept of it beyond what was given. */
  async *rest(session: Session): AsyncGenerator<KeptChunk> {
    const kept = await keptLog(this.#parts.sessions, this.#of(session));
    if (this.#position !== undefined) yield* this.#position.rest(kept);
    else yield* this.#tail === undefined ? kept : tailOf(kept, this.#tail);
  }

  /** Whoever wants only a tail has the whole log counted: a restart may print the same lines again, and only counting tells them apart. */
  async *#begin(session: Session): AsyncGenerator<KeptChunk> {
    const position = new LogPosition(this.#parts.runtime);
    if (this.#tail !== undefined) {
      const past = await readLog(this.#parts, this.#of(session), this.#signal);
      for (const chunk of past) position.advance(chunk);
      this.#position = position;
      yield* tailOf(past, this.#tail);
    }
    this.#position = position;
    yield* this.#readOn(session, position);
  }

  async *#readOn(session: Session, position: LogPosition): AsyncGenerator<KeptChunk> {
    const given = position.locateIn(await readLog(this.#parts, this.#of(session), this.#signal));
    const earlier = await earlierLog(this.#parts, this.#of(session));
    for (const chunk of withoutStart(earlier, given)) {
      position.advance(chunk);
      yield chunk;
    }
    const left = (stream: LogStream): number => Math.max(given[stream] - bytesIn(earlier, stream).length, 0);
    const skipping = new Skipping({ stdout: left('stdout'), stderr: left('stderr') });
    for await (const chunk of this.#parts.runtime.logs(containerOf(session, this.#container), { follow: true, signal: this.#signal })) {
      const unread = skipping.unread(chunk);
      if (unread === undefined) continue;
      position.advance(unread);
      yield unread;
    }
  }
}
