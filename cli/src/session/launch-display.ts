import type { Session, SessionEvent } from '@berth/contract';
import type { Connection } from '../connection/connect.ts';
import { patiently } from '../connection/patiently.ts';
import { watchEvents } from '../connection/watch-events.ts';
import type { Io } from '../io.ts';
import { plainText } from '../output/plain-text.ts';
import { StatusLine } from '../output/status-line.ts';
import { imageWords, reservedWords, shortId, waitingWords } from '../output/words.ts';
import { hasEnded } from './end-code.ts';

/** Tells a person what a session that starts is doing, and why it does not run yet. */
export class LaunchDisplay {
  private readonly connection: Connection;
  private readonly line: StatusLine;
  private readonly id: string;
  private lastWait = '';
  private toldReservation = false;

  constructor(connection: Connection, session: Session, io: Io) {
    this.connection = connection;
    this.line = new StatusLine(io);
    this.id = session.id;
    this.line.say(`Starting session ${shortId(session.id)}... (Press Ctrl+C to cancel)`);
    this.line.say(`Verifying image (${plainText(imageWords(session.image.reference))})...`);
  }

  /** Until `signal` says that the session has the word. */
  async follow(signal: AbortSignal): Promise<void> {
    for await (const event of watchEvents(this.connection, { session: this.id, signal })) {
      if (!signal.aborted) await this.tell(event);
    }
  }

  /** The last words before the session's own. */
  async settle(): Promise<void> {
    this.line.clear();
    const session = await this.current();
    this.reservation(session);
    if (session.state === 'cancelled' && session.cause === null) this.line.say(`The session did not start: ${plainText(session.reason)}.`);
  }

  private async tell(event: SessionEvent): Promise<void> {
    if (event.kind === 'notice') return this.line.say(`Note: ${plainText(event.message)}`);
    if (event.kind === 'waiting') return this.waiting(event.message);
    if (event.kind === 'progress') return this.line.progress(sentence(event.message));
    if (event.kind !== 'state' || event.state === 'pending') return;
    if (!this.toldReservation) this.reservation(await this.current());
    if (event.state === 'pulling') this.line.progress(sentence(event.message));
  }

  private async waiting(message: string): Promise<void> {
    const { waiting, state } = await this.current();
    if (state !== 'pending') return;
    const words = plainText(waiting ? waitingWords(waiting) : message);
    if (words === this.lastWait) return;
    this.lastWait = words;
    this.line.say(`${waiting?.holds?.length ? 'Waiting' : 'Waiting for resources'}: ${words}`);
  }

  /** Said when it is true: the session has its place. */
  private reservation(session: Session): void {
    const neverHadAPlace = session.state === 'pending' || (hasEnded(session) && session.startedAt === null);
    if (this.toldReservation || neverHadAPlace) return;
    this.toldReservation = true;
    const node = session.node === null ? '' : ` on ${session.node}`;
    const reserved = session.resources.reserved ? reservedWords(session) : undefined;
    this.line.say(
      reserved === undefined
        ? `Nothing is reserved${node}: the session may be killed when memory is short (reserve with --memory, --cpus, --gpus).`
        : `Reserved ${reserved}${node}.`,
    );
  }

  private current(): Promise<Session> {
    return patiently(() => this.connection.client.getSession({ params: { session: this.id } }));
  }
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
