import type { CreateSessionInput, Session } from '@berth/contract';
import type { Connection } from '../connection/connect.ts';
import { EXIT } from '../failure.ts';
import type { Io, Signal } from '../io.ts';
import { shortId } from '../output/words.ts';
import { stayAttached, type Attachment } from '../terminal/stay-attached.ts';
import { OutputClosed } from '../terminal/write-out.ts';
import { createPatiently } from './create-patiently.ts';
import { LaunchDisplay } from './launch-display.ts';
import { tellEnding } from './tell-ending.ts';

interface NewSession {
  readonly connection: Connection;
  readonly request: CreateSessionInput;
  readonly detachKeys: readonly number[];
}

/** A cancellation that has no answer by then is under way all the same: nobody is kept waiting for it. */
const CANCEL_WITHIN_MS = 1_500;

/** Creates a session, shows how it starts and stays in it; answers the exit code. */
export async function enterNewSession(wish: NewSession, io: Io): Promise<number> {
  const creation = createPatiently(wish.connection, wish.request);
  const signals = new CreatorSignals(wish, creation, io);
  try {
    const session = await Promise.race([creation, signals.ended]);
    if (typeof session === 'number') return session;
    return await Promise.race([launch(wish, { session, signals, io }), signals.ended]);
  } finally {
    signals.release();
  }
}

async function launch({ connection, request, detachKeys }: NewSession, { session, signals, io }: Launch): Promise<number> {
  const display = new LaunchDisplay(connection, session, io);
  const launching = new AbortController();
  signals.leave.addEventListener('abort', () => launching.abort());
  const tty = request.tty === true;
  const attachment: Attachment = {
    connection,
    session: session.id,
    tty,
    input: request.stdin !== 'closed',
    detachKeys,
    clear: false,
    leave: signals.leave,
    onAttached: async () => {
      launching.abort();
      await watching;
      await display.settle();
      signals.nowRunning();
    },
  };
  // Should the events break off for good, so does the attachment, and it is the one to say so.
  const watching = display.follow(launching.signal).catch(() => undefined);
  const ending = await stayAttached(attachment, io).catch((error: unknown) => {
    if (error instanceof OutputClosed)
      io.stderr.write(`Nobody reads the output any more; the session goes on. Stop it with: berth session stop ${shortId(session.id)}\n`);
    throw error;
  });
  launching.abort();
  if (signals.isCancelled) return signals.ended;
  const code = tellEnding(ending, session, io);
  return signals.interruptedWith ?? code;
}

interface Launch {
  readonly session: Session;
  readonly signals: CreatorSignals;
  readonly io: Io;
}

const CODES: Record<Signal, number> = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.hangUp };

/** What interruptions mean to the one who started a session: cancel it, stop it, or leave it, by how far it has come. */
class CreatorSignals {
  private isRunning = false;
  private isLost = false;
  interruptedWith: number | undefined;
  /** Settles with the exit code when a signal ended it all. */
  readonly ended: Promise<number>;
  private readonly end: (code: number) => void;
  private readonly leaving = new AbortController();
  private readonly wish: NewSession;
  private readonly creation: Promise<Session>;
  private readonly io: Io;
  private readonly releases: (() => void)[];

  constructor(wish: NewSession, creation: Promise<Session>, io: Io) {
    this.wish = wish;
    this.creation = creation;
    this.io = io;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.end = resolve;
    this.releases = [
      io.onSignal('SIGINT', () => this.interrupt('SIGINT')),
      io.onSignal('SIGTERM', () => this.interrupt('SIGTERM')),
      io.onSignal('SIGHUP', () => this.hangUp()),
    ];
  }

  get leave(): AbortSignal {
    return this.leaving.signal;
  }

  /** It was given up before it ran, or its terminal has gone: what is left to say is said here. */
  get isCancelled(): boolean {
    return this.isLost || (this.interruptedWith !== undefined && !this.isRunning);
  }

  /** From now on an interruption stops it, or leaves it. One that came before still cancels. */
  nowRunning(): void {
    if (this.interruptedWith === undefined) this.isRunning = true;
  }

  release(): void {
    for (const release of this.releases) release();
    this.leaving.abort();
  }

  private interrupt(signal: Signal): void {
    if (this.interruptedWith !== undefined) return this.io.exit(CODES[signal]);
    this.interruptedWith = CODES[signal];
    if (this.isRunning && this.wish.request.tty === true) this.leaving.abort();
    else void this.terminate();
    if (!this.isRunning) setTimeout(() => this.tooLate(), CANCEL_WITHIN_MS).unref();
  }

  /** The terminal has gone; the session has not. */
  private hangUp(): void {
    this.isLost = true;
    this.leaving.abort();
    this.end(EXIT.hangUp);
  }

  private async terminate(): Promise<void> {
    const wasRunning = this.isRunning;
    const code = this.interruptedWith ?? EXIT.interrupted;
    try {
      const { id } = await this.creation;
      if (wasRunning) this.say(`Stopping session ${shortId(id)}... (press Ctrl+C again to not wait for it)`);
      await this.wish.connection.client.terminateSession({ params: { session: id }, body: {} });
      if (wasRunning) return;
      this.leaving.abort();
      this.say(`Cancelled session ${shortId(id)}.`);
    } catch (error) {
      this.say(`It could not be cancelled: ${(error as Error).message} See berth session list.`);
    }
    this.end(code);
  }

  private tooLate(): void {
    if (this.leaving.signal.aborted) return;
    this.leaving.abort();
    this.say('The server has not confirmed the cancellation yet; see berth session list.');
    this.end(this.interruptedWith ?? EXIT.interrupted);
  }

  private say(line: string): void {
    this.io.stderr.write(`${this.io.stderr.isTTY ? '\r\x1b[K' : ''}${line}\n`);
  }
}
