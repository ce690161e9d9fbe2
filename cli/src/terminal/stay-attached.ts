import { streams, urlOf, type Cause } from '@berth/contract';
import { backoff } from '../connection/backoff.ts';
import type { Connection } from '../connection/connect.ts';
import { unreachable } from '../connection/reach.ts';
import { Failure } from '../failure.ts';
import type { Io } from '../io.ts';
import { shortId } from '../output/words.ts';
import { InputPump } from './input-pump.ts';
import { isEnded, isGone } from './link-failure.ts';
import { openLink } from './link.ts';
import { outputAfterEnd } from './output-after-end.ts';
import { OutputRelay } from './output-relay.ts';
import { receive } from './receive.ts';
import { terminalSize } from './terminal-size.ts';

export interface Attachment {
  readonly connection: Connection;
  /** Its full id. */
  readonly session: string;
  /** Without it the one that runs its command. */
  readonly container?: string;
  readonly tty: boolean;
  /** Keys or piped bytes go to the main process. */
  readonly input: boolean;
  readonly detachKeys: readonly number[];
  /** What is on the terminal makes room for the redrawn screen. */
  readonly clear: boolean;
  /** Aborted by whoever wants to leave; the session goes on. */
  readonly leave: AbortSignal;
  readonly onStatus?: (message: string) => void;
  /** Before the first byte of output, once. */
  readonly onAttached?: () => Promise<void>;
}

export type Ending =
  | { readonly kind: 'exit'; readonly code: number; readonly cause: Cause | null }
  | { readonly kind: 'detached' | 'left' | 'input-cut' | 'hang-up' };

/** A link that lived this long was a good one: the next loss is a new one. */
const GOOD_LINK_MS = 5_000;

/** At the main process until it ends or someone leaves. A server that restarts is waited for, and it goes on where it was. */
export async function stayAttached(attachment: Attachment, io: Io): Promise<Ending> {
  const pump = new InputPump(attachment, io);
  const relay = new OutputRelay(attachment, io);
  const left = new Promise<Ending>((resolve) => {
    const leave = (): void => resolve({ kind: 'left' });
    if (attachment.leave.aborted) leave();
    attachment.leave.addEventListener('abort', leave);
  });
  try {
    return await Promise.race([left, pump.ended, follow(attachment, { pump, relay, io })]);
  } finally {
    pump.stop();
    relay.stop();
  }
}

interface Parts {
  readonly pump: InputPump;
  readonly relay: OutputRelay;
  readonly io: Io;
}

async function follow(attachment: Attachment, parts: Parts): Promise<Ending> {
  const { connection, leave } = attachment;
  let retry = backoff();
  let isLost = false;
  for (;;) {
    const openedAt = performance.now();
    let loss: unknown;
    try {
      const ending = await attachOnce(attachment, parts, isLost);
      if (ending !== undefined) return ending;
      isLost = true;
    } catch (error) {
      if (isEnded(error)) return outputAfterEnd(attachment, parts.relay, error);
      if (!isGone(error)) throw error;
      loss = error;
    }
    if (leave.aborted) return { kind: 'left' };
    if (performance.now() - openedAt > GOOD_LINK_MS) retry = backoff();
    if (!(await retry.pause(leave))) throw lostFor(connection, { session: attachment.session, isLost, loss });
  }
}

/** Undefined when the connection broke. */
async function attachOnce(attachment: Attachment, { pump, relay, io }: Parts, isAgain: boolean): Promise<Ending | undefined> {
  const link = await openLink(addressOf(attachment, io), attachment.connection, attachment.leave);
  if (isAgain) relay.note('connected again.');
  try {
    const ending = await receive(link, { pump, relay, ...(attachment.onStatus ? { onStatus: attachment.onStatus } : {}) });
    if (ending !== undefined || attachment.leave.aborted) return ending;
  } finally {
    link.close();
  }
  if (pump.linkLost() === 'cut') return { kind: 'input-cut' };
  relay.note('the connection to the server was lost, trying again...');
  return undefined;
}

function lostFor({ url }: Connection, { session, isLost, loss }: { session: string; isLost: boolean; loss: unknown }): Error {
  const reason = unreachable(url, loss ?? new Error('it broke the connection'));
  if (!isLost) return reason;
  return new Failure('connection-lost', `${reason.message} The session goes on; come back with: berth session attach ${shortId(session)}`);
}

function addressOf({ connection, session, container = 'main1', tty, input }: Attachment, io: Io): URL {
  const size = tty ? terminalSize(io.stdout) : undefined;
  return urlOf(connection.url, streams.attachSession.path, {
    params: { session },
    query: { ...size, replay: true, stdin: input, container },
  });
}
