import { imageCause, imageUnreachable, wrongMachine } from '../causes.ts';
import { RuntimeError } from '../runtime.ts';

/** Engines tell no status worth reading: it is 404 or 500 whatever happened, and within the stream there is none. */
export function pullFailure(reference: string, said: string, options?: ErrorOptions): RuntimeError {
  const cause = imageCause(reference, said);
  return new RuntimeError(cause.code === 'image-unreachable' ? 'retry' : 'fatal', cause, options);
}

export const wrongPlatform = (reference: string, image: string, engine: string): RuntimeError =>
  new RuntimeError('fatal', wrongMachine(reference, `it is made for ${image}, this machine is ${engine}`));
export const stalled = (reference: string, minutes: number): RuntimeError =>
  new RuntimeError('retry', imageUnreachable(reference, `nothing arrived for ${minutes} minutes`));
