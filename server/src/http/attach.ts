import { CHANNEL } from '@berth/contract';
import type { FastifyBaseLogger } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerOf } from '../domain/sessions/container-plan.ts';
import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { isFinal } from '../domain/sessions/lifecycle.ts';
import type { Notifications, SessionStore } from '../domain/sessions/session-store.ts';
import type { Session, SessionState } from '../domain/sessions/session.ts';
import { RuntimeError, type Runtime, type Terminal } from '../runtimes/runtime.ts';
import type { FrameSocket } from './frame-socket.ts';
import { LiveOutput } from './live-output.ts';
import { LogPosition } from './log-position.ts';
import { bytesIn, merged, sizeOf } from './log-chunks.ts';
import { screenAfter } from './screen.ts';
import { keptLog, readLog } from './session-log.ts';
import { SessionWatch } from './session-watch.ts';
import { exitOf, statusOf } from './session-words.ts';
import type { StdinOwners } from './stdin-owners.ts';
import { TypedInput } from './typed-input.ts';

export interface AttachParts {
  readonly sessions: SessionStore;
  readonly notifications: Notifications;
  readonly runtime: Runtime;
  readonly owners: StdinOwners;
  readonly log: FastifyBaseLogger;
}
interface Size {
  readonly rows: number;
  readonly cols: number;
}
export interface AttachRequest {
  readonly session: Session;
  readonly socket: FrameSocket;
  /** Of the client's terminal, where it has one. */
  readonly size: Size | undefined;
  readonly replay: boolean;
  readonly stdin: boolean;
}

/** States in which there may be a container, and how soon to look for it again. Elsewhere the row tells when it changes. */
const LOOK_MS: Partial<Record<SessionState, number>> = {
  preparing: 100,
  running: 250,
  restarting: 250,
  pausing: 1_000,
  paused: 2_000,
  terminating: 250,
};
const POLL_MS = 2_000;
const DRAIN_MS = 3_000;
const RESIZE_RETRY_MS = 50;
const USUAL_SIZE: Size = { rows: 24, cols: 80 };
const BEFORE_START: readonly SessionState[] = ['pending', 'scheduled', 'pulling', 'preparing'];

/** One client on a session's main process: waits for it, shows it, follows it over restarts, and tells how it ended. */
export class Attachment {
  readonly #parts: AttachParts;
  readonly #request: AttachRequest;
  readonly #socket: FrameSocket;
  readonly #watch: SessionWatch;
  readonly #input: TypedInput;
  /** It was here before the process was: every byte is shown as it was printed. */
  readonly #fromStart: boolean;
  #size: Size | undefined;
  #terminal: Terminal | undefined;
  #position: LogPosition | undefined;
  #generation = 0;
  #announced = '';

  constructor(parts: AttachParts, request: AttachRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#socket = request.socket;
    this.#size = request.size;
    this.#watch = new SessionWatch(parts, request.session.id);
    this.#input = new TypedInput(request.socket);
    this.#fromStart = BEFORE_START.includes(request.session.state);
  }

  async run(): Promise<void> {
    const stdin = this.#parts.owners.claim(this.#request.session, this.#request.stdin);
    this.#socket.receive({
      stdin: (data) => stdin.granted && this.#input.write(data),
      stdinEnd: () => stdin.granted && this.#input.end(),
      resize: (size) => {
        this.#size = size;
        void this.#fit(this.#terminal);
      },
    });
    try {
      await this.#untilFinal(stdin.granted);
    } finally {
      stdin.release();
      this.#watch.close();
    }
  }

  async #untilFinal(stdin: boolean): Promise<void> {
    const { gone } = this.#socket;
    while (!gone.aborted) {
      const session = await this.#watch.read();
      if (isFinal(session.state)) return this.#finish(session);
      const terminal = await this.#attach(session, stdin);
      if (terminal === undefined) await this.#announce(session);
      else await this.#live(session, terminal);
      await this.#watch.wait(LOOK_MS[session.state] ?? POLL_MS, gone);
    }
  }

  /** undefined while there is nothing to attach to, which the next look may change. */
  async #attach(session: Session, stdin: boolean): Promise<Terminal | undefined> {
    if (LOOK_MS[session.state] === undefined) return undefined;
    const ref = containerOf(session);
    try {
      const { phase } = await this.#parts.runtime.inspect(ref);
      if (phase === 'absent' || phase === 'exited') return undefined;
      return await this.#parts.runtime.attach(ref, { stdin });
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.#parts.log.debug({ err: error, session: session.id }, 'not attached; looking again');
      return undefined;
    }
  }

  /** Until the process ends, the connection to the engine breaks, or the client goes. */
  async #live(session: Session, terminal: Terminal): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#socket.gone, over.signal]);
    const live = new LiveOutput(terminal);
    this.#terminal = terminal;
    try {
      await this.#showBefore(session, live);
      this.#input.connect(terminal.stdin);
      void this.#cutAfterEnd(over, signal);
      for await (const chunk of live.chunks(signal)) await this.#give(chunk);
    } finally {
      over.abort();
      this.#input.disconnect();
      this.#terminal = undefined;
      terminal.close();
    }
  }

  /** The process's end ends its output; should the engine not say so, the session's end does. */
  async #cutAfterEnd(over: AbortController, signal: AbortSignal): Promise<void> {
    try {
      for (let ended = false; !ended && !signal.aborted;) {
        await this.#watch.wait(POLL_MS, signal);
        ended = !signal.aborted && isFinal((await this.#watch.read()).state);
      }
      await sleep(DRAIN_MS, undefined, { signal });
      over.abort();
    } catch (error) {
      if (signal.aborted) return;
      this.#parts.log.warn(
        { err: error, session: this.#request.session.id },
        'an attached session could not be looked at; attaching again',
      );
      over.abort();
    }
  }

  /** What it printed up to where the live output begins: as a screen for who comes back to a terminal, as bytes for everybody else. */
  async #showBefore(session: Session, live: LiveOutput): Promise<void> {
    const { gone } = this.#socket;
    const before = await live.without(await this.#logOf(session), gone);
    const first = this.#position === undefined;
    if (session.generation !== this.#generation) {
      this.#generation = session.generation;
      this.#position = first ? undefined : new LogPosition('beginning');
    }
    const fullScreen =
      this.#position === undefined ? await this.#replay(session, before) : await this.#giveAll(this.#position.rest(before));
    if (session.spec.tty) void this.#fit(this.#terminal, { nudge: fullScreen });
  }

  async #logOf(session: Session): Promise<readonly KeptChunk[]> {
    try {
      return await readLog(this.#parts, session, this.#socket.gone);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.#parts.log.debug({ err: error, session: session.id }, 'the log before an attach could not be read');
      return [];
    }
  }

  /** Answers whether a full-screen program is on the screen. */
  async #replay(session: Session, before: readonly KeptChunk[]): Promise<boolean> {
    this.#position = new LogPosition('beginning');
    for (const chunk of before) this.#position.advance(chunk);
    if (session.spec.tty && !this.#fromStart && this.#request.replay) {
      const { data, fullScreen } = await screenAfter(bytesIn(before, 'stdout'), this.#size ?? USUAL_SIZE);
      await this.#socket.control({ type: 'attached', replayedBytes: data.length });
      await this.#socket.send(CHANNEL.stdout, data);
      return fullScreen;
    }
    const shown = this.#request.replay || this.#fromStart ? before : [];
    await this.#socket.control({ type: 'attached', replayedBytes: sizeOf(shown) });
    for (const chunk of merged(shown)) await this.#socket.send(CHANNEL[chunk.stream], chunk.data);
    return false;
  }

  async #giveAll(chunks: readonly KeptChunk[]): Promise<false> {
    for (const chunk of merged(chunks)) await this.#give(chunk);
    return false;
  }

  async #give(chunk: KeptChunk): Promise<void> {
    this.#position?.advance(chunk);
    await this.#socket.send(CHANNEL[chunk.stream], chunk.data);
  }

  /** Makes the terminal as large as the client's. A process about to start has none yet: tried again until it has. */
  async #fit(terminal: Terminal | undefined, options: { nudge: boolean } = { nudge: false }): Promise<void> {
    const size = this.#size;
    if (terminal === undefined || size === undefined || !this.#request.session.spec.tty) return;
    while (this.#terminal === terminal && this.#size === size) {
      try {
        // A program that draws the whole screen does so again only when the size really changes.
        if (options.nudge) await terminal.resize({ rows: size.rows, cols: size.cols + 1 });
        await terminal.resize(size);
        return;
      } catch (error) {
        if (!(error instanceof RuntimeError)) {
          this.#parts.log.error({ err: error }, 'a terminal could not be resized');
          return;
        }
        await sleep(RESIZE_RETRY_MS);
      }
    }
  }

  async #announce(session: Session): Promise<void> {
    const passing = session.state === 'running' || session.state === 'terminating';
    if (this.#position !== undefined && passing) return;
    const status = statusOf(session);
    const text = JSON.stringify(status);
    if (text === this.#announced) return;
    this.#announced = text;
    await this.#socket.control(status);
  }

  async #finish(session: Session): Promise<void> {
    const kept = await keptLog(this.#parts.sessions, session.id);
    if (this.#position === undefined) await this.#replay(session, kept);
    else await this.#giveAll(this.#position.rest(kept));
    await this.#socket.control(exitOf(session));
    this.#socket.close(1000, 'ended');
  }
}
