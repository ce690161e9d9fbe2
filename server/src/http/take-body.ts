import { FileRefusal } from '../domain/files/file-refusal.ts';
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Duplex, type Readable } from 'node:stream';

/** How long a client may go on sending what nobody wants any more, so that it gets to read why. */
const READ_AWAY_MS = 5_000;

const unhurried = new WeakSet<Duplex>();

/** A request is arriving on it that may take its time: whoever takes its body sees to its end. */
export const isUnhurried = (socket: Duplex): boolean => unhurried.has(socket);

/** What the body is to become, for sentences. `hurried`: within the time that every request has, a minute. */
interface Taking {
  readonly path: string;
  readonly hurried: boolean;
}

/** `content` fails where the body ends early. What is left of it when `take` fails is read away, for a moment. */
export async function takeBody<T>(
  request: IncomingMessage,
  { path, hurried }: Taking,
  take: (content: Readable) => Promise<T>,
): Promise<T> {
  const content = new PassThrough();
  const broken = (): void => {
    if (!request.complete) content.destroy(new FileRefusal('incomplete', path));
  };
  // Reported to who reads it; nobody doing so must not end the server.
  content.on('error', () => undefined);
  request.on('error', broken).on('close', broken);
  if (!hurried) unhurried.add(request.socket);
  request.pipe(content);
  // Gone before anybody listened.
  if (request.destroyed) broken();
  try {
    return await take(content);
  } catch (error) {
    readAway(request);
    throw error;
  } finally {
    unhurried.delete(request.socket);
    request.unpipe(content);
    request.off('close', broken);
    content.destroy();
    if (!request.complete) request.resume();
  }
}

function readAway(request: IncomingMessage): void {
  const { socket } = request;
  const timer = setTimeout(() => {
    if (!request.complete) socket.destroy();
  }, READ_AWAY_MS).unref();
  request.once('close', () => clearTimeout(timer));
}
