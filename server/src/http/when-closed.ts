import type { Writable } from 'node:stream';

/** Calls once when an answer or a connection is over; at once where it is already: whoever asks late is told, too. */
export function whenClosed(stream: Pick<Writable, 'destroyed' | 'once'>, over: () => void): void {
  if (stream.destroyed) over();
  else stream.once('close', over);
}
