import { CHANNEL } from '@berth/contract';
import type { FastifyBaseLogger } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerOf, MAIN } from '../domain/sessions/container-plan.ts';
import type { FirstByte } from '../domain/sessions/first-byte.ts';
import type { KeptChunk } from '../domain/sessions/kept-log.ts';
import { isFinal } from '../domain/sessions/lifecycle.ts';
import type { Notifications, SessionStore } from '../domain/sessions/session-store.ts';
import type { Session, SessionState, SubRecord } from '../domain/sessions/session.ts';
import { RuntimeError, type Runtime, type Terminal } from '../runtimes/runtime.ts';
import type { ProcessClient } from './process-client.ts';
import { LiveOutput } from './live-output.ts';
import { LogPosition } from './log-position.ts';
import { bytesIn, merged, sizeOf } from './log-chunks.ts';
import { screenAfter } from './screen.ts';
import { keptLog, readLog } from './session-log.ts';
import { SessionWatch } from './session-watch.ts';
import { exitOf, statusOf } from './session-words.ts';
import type { StdinOwners } from './stdin-owners.ts';
import { TerminalSize, type Size } from './terminal-size.ts';
import { TypedInput } from './typed-input.ts';

export interface AttachParts {
  readonly sessions: SessionStore;
  readonly notifications: Notifications;
  readonly runtime: Runtime;
  readonly owners: StdinOwners;
  readonly firstByte: FirstByte;
  readonly log: FastifyBaseLogger;
}
export interface AttachRequest {
  readonly session: Session;
  /** Without it main1. */
  readonly container?: string;
  readonly socket: ProcessClient;
  /** Of the client's terminal, where it has one. */
  readonly size: Size | undefined;
  readonly replay: boolean;
  readonly stdin: boolean;
}

interface Early {
  readonly terminal: Terminal;
  readonly live: LiveOutput;
  readonly late: boolean;
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
const USUAL_SIZE: Size = { rows: 24, cols: 80 };
const BEFORE_START: readonly SessionState[] = ['pending', 'scheduled', 'pulling', 'preparing'];

/** One client on a session's main process: waits for it, shows it, follows it over restarts, and tells how it ended. */
export class Attachment {
  readonly #parts: AttachParts;
  readonly #request: AttachRequest;
  readonly #socket: ProcessClient;
  readonly #container: string;
  readonly #watch: SessionWatch;
  readonly #input: TypedInput;
  readonly #size: TerminalSize;
  /** It was here before the process was: every byte is shown as it was printed. */
  readonly #fromStart: boolean;
  #position: LogPosition | undefined;
  /** On the way to attach before the start, or attached then: exactly so, unless it was `late`. */
  #listening: Promise<void> = Promise.resolve();
  #early: Early | undefined;
  #generation = 0;
  #announced = '';
  /** It was told of a pause or a restart, and wants to hear of its end. */
  #disturbed = false;

  constructor(parts: AttachParts, request: AttachRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#socket = request.socket;
    this.#container = request.container ?? MAIN;
    this.#size = new TerminalSize(request.size, parts.log);
    this.#watch = new SessionWatch(parts, request.session.id);
    this.#input = new TypedInput(request.socket);
    this.#fromStart = this.#isMain && BEFORE_START.includes(request.session.state);
  }

  get #isMain(): boolean {
    return this.#container === MAIN;
  }

  /** Beside main1 a login shell waits. */
  #hasTerminal({ spec }: Session): boolean {
    return !this.#isMain || spec.tty;
  }

  async run(): Promise<void> {
    const { owners } = this.#parts;
    const { session, stdin: wished } = this.#request;
    const stdin = this.#isMain ? owners.claim(session, wished) : { granted: wished, release: () => undefined };
    this.#socket.receive({
      stdin: (data) => stdin.granted && this.#input.write(data),
      stdinEnd: () => stdin.granted && this.#input.end(),
      resize: (size) => this.#size.change(size),
    });
    const { firstByte } = this.#parts;
    const withdraw = this.#fromStart
      ? firstByte.waitFor(this.#request.session.id, (tooLate) => (this.#listening = this.#listenFirst(stdin.granted, tooLate)))
      : () => undefined;
    try {
      await this.#untilFinal(stdin.granted);
    } finally {
      withdraw();
      this.#early?.terminal.close();
      stdin.release();
      this.#watch.close();
    }
  }

  /** Its container is there and about to be started. */
  async #listenFirst(stdin: boolean, tooLate: AbortSignal): Promise<void> {
    const session = await this.#watch.read(this.#socket.gone);
    const terminal = await this.#attach(session, { stdin, started: false });
    if (terminal === undefined) return;
    if (this.#socket.gone.aborted) return terminal.close();
    this.#early = { terminal, live: new LiveOutput(terminal, this.#parts.runtime), late: tooLate.aborted };
  }

  async #untilFinal(stdin: boolean): Promise<void> {
    const { gone } = this.#socket;
    while (!gone.aborted) {
      const session = await this.#watch.read(gone);
      if (isFinal(session.state)) return this.#finish(session);
      const ended = this.#endOfSub(session);
      if (ended !== undefined) return this.#finishSub(ended);
      // Twice attached, it would print everything twice. Why it failed, attaching again tells.
      await this.#listening.catch(() => undefined);
      const early = this.#early;
      this.#early = undefined;
      const terminal = early?.terminal ?? (await this.#attach(session, { stdin, started: true }));
      if (terminal === undefined) await this.#announce(session);
      else await this.#live(session, terminal, early);
      await this.#watch.wait(LOOK_MS[session.state] ?? POLL_MS, gone);
    }
  }

  /** undefined while there is nothing to attach to, which the next look may change. */
  async #attach(session: Session, to: { stdin: boolean; started: boolean }): Promise<Terminal | undefined> {
    if (LOOK_MS[session.state] === undefined) return undefined;
    const ref = containerOf(session, this.#container);
    try {
      const { phase } = await this.#parts.runtime.inspect(ref);
      if (phase === 'absent' || phase === 'exited' || (to.started && phase === 'created')) return undefined;
      return await this.#parts.runtime.attach(ref, { stdin: to.stdin });
    } catch (error) {
      return this.#lookAgainAfter(error);
    }
  }

  /** The engine is away, or the container went between two looks: the next one tells. */
  #lookAgainAfter(error: unknown): undefined {
    if (!(error instanceof RuntimeError)) throw error;
    this.#parts.log.debug({ err: error, session: this.#request.session.id }, 'not attached; looking again');
  }

  /** Until the process ends, the connection to the engine breaks, or the client goes. */
  async #live(session: Session, terminal: Terminal, early: Early | undefined): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#socket.gone, over.signal]);
    const live = early?.live ?? new LiveOutput(terminal, this.#parts.runtime);
    try {
      const fromFirstByte = early?.late === false;
      const fullScreen = fromFirstByte ? await this.#showNothing(session, live) : await this.#showBefore(session, live);
      void this.#takeInput(session, { terminal, live, fullScreen, signal });
      void this.#cutAfterEnd(over, signal);
      for await (const chunk of live.chunks(signal)) await this.#give(chunk);
    } catch (error) {
      this.#lookAgainAfter(error);
    } finally {
      over.abort();
      this.#input.disconnect();
      this.#size.leave();
      terminal.close();
    }
  }

  /** What is typed reaches a terminal that has its size already. */
  async #takeInput(
    session: Session,
    to: { terminal: Terminal; live: LiveOutput; fullScreen: boolean; signal: AbortSignal },
  ): Promise<void> {
    const nudge = to.fullScreen || !this.#fromStart;
    const fitting = { nudge, hasPrinted: () => to.live.hasPrinted, started: () => this.#hasStarted(session) };
    if (this.#hasTerminal(session)) await this.#size.fit(to.terminal, fitting);
    if (!to.signal.aborted) this.#input.connect(to.terminal.stdin);
  }

  /** The process's end ends its output; should the engine not say so, the session's end does. */
  async #cutAfterEnd(over: AbortController, signal: AbortSignal): Promise<void> {
    try {
      for (let ended = false; !ended && !signal.aborted;) {
        await this.#watch.wait(POLL_MS, signal);
        if (signal.aborted) return;
        const session = await this.#watch.read(signal);
        ended = isFinal(session.state);
        if (!ended) await this.#announce(session);
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

  async #hasStarted(session: Session): Promise<boolean> {
    return (await this.#parts.runtime.inspect(containerOf(session, this.#container))).phase !== 'created';
  }

  /** What it printed up to where the live output begins: as a screen for who comes back to a terminal, as bytes for everybody else.
   *  Answers whether a full-screen program is on that screen. */
  async #showBefore(session: Session, live: LiveOutput): Promise<boolean> {
    const { gone } = this.#socket;
    const before = await readLog(this.#parts, { session, container: this.#container }, gone);
    const first = this.#position === undefined;
    if (session.generation !== this.#generation) {
      this.#generation = session.generation;
      this.#position = first ? undefined : new LogPosition(this.#parts.runtime);
    }
    // What was given before comes no second time: something printed again only looks like it.
    const unseen = this.#position?.rest(before) ?? before;
    await live.continueAfter(unseen, gone);
    if (this.#position === undefined) return this.#replay(session, before);
    await this.#giveAll(unseen);
    return false;
  }

  /** It listens from the first byte: all there is comes live. */
  async #showNothing(session: Session, live: LiveOutput): Promise<false> {
    await live.continueAfter([], this.#socket.gone);
    this.#generation = session.generation;
    this.#position = new LogPosition(this.#parts.runtime);
    await this.#socket.control({ type: 'attached', replayedBytes: 0 });
    return false;
  }

  async #replay(session: Session, before: readonly KeptChunk[]): Promise<boolean> {
    this.#position = new LogPosition(this.#parts.runtime);
    for (const chunk of before) this.#position.advance(chunk);
    if (this.#hasTerminal(session) && !this.#fromStart && this.#request.replay) {
      const { data, fullScreen } = await screenAfter(bytesIn(before, 'stdout'), this.#size.current ?? USUAL_SIZE);
      await this.#socket.control({ type: 'attached', replayedBytes: data.length });
      await this.#socket.send(CHANNEL.stdout, data);
      return fullScreen;
    }
    const shown = this.#request.replay || this.#fromStart ? before : [];
    await this.#socket.control({ type: 'attached', replayedBytes: sizeOf(shown) });
    for (const chunk of merged(shown)) await this.#socket.send(CHANNEL[chunk.stream], chunk.data);
    return false;
  }

  async #giveAll(chunks: readonly KeptChunk[]): Promise<void> {
    for (const chunk of merged(chunks)) await this.#give(chunk);
  }

  async #give(chunk: KeptChunk): Promise<void> {
    this.#position?.advance(chunk);
    await this.#socket.send(CHANNEL[chunk.stream], chunk.data);
  }

  async #announce(session: Session): Promise<void> {
    const calm = session.state === 'running' || session.state === 'terminating';
    if (this.#position !== undefined && calm && !this.#disturbed) return;
    this.#disturbed = this.#position !== undefined && !calm;
    const status = statusOf(session);
    const text = JSON.stringify(status);
    if (text === this.#announced) return;
    this.#announced = text;
    await this.#socket.control(status);
  }

  /** A container beside main1 that has ended is not waited for: only a restart of the session brings it back. */
  #endOfSub({ state, subs }: Session): SubRecord | undefined {
    const record = subs.find(({ name }) => name === this.#container);
    return state === 'running' && record?.state === 'ended' ? record : undefined;
  }

  async #finishSub({ name, exitCode, reason }: SubRecord): Promise<void> {
    await this.#socket.control({ type: 'exit', code: exitCode ?? 1, message: `${name} ${reason ?? 'ended'}`, cause: null });
    this.#socket.close(1000, 'ended');
  }

  async #finish(session: Session): Promise<void> {
    const kept = await keptLog(this.#parts.sessions, { session, container: this.#container });
    if (this.#position === undefined) await this.#replay(session, kept);
    else await this.#giveAll(this.#position.rest(kept));
    await this.#socket.control(exitOf(session));
    this.#socket.close(1000, 'ended');
  }
}
