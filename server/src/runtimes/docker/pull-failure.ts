import type { Cause } from '@berth/contract';
import { RuntimeError } from '../runtime.ts';
import { isDiskFull } from './errors.ts';

/**
 * Engines report a failed pull as a sentence: the status is 404 or 500 whatever happened, and within the stream there is
 * none. So this, for once, reads text: phrases of registries' error codes first, then of Go's network errors.
 */
export function pullFailure(reference: string, said: string, options?: ErrorOptions): RuntimeError {
  const kind = isDiskFull(said) ? { retry: false, failure: diskFull } : KINDS.find(({ phrase }) => phrase.test(said));
  const make = kind?.failure ?? unreachable;
  return new RuntimeError(kind?.retry === false ? 'fatal' : 'retry', make(reference, said), options);
}

export const imageNotFound = (reference: string, said: string): Cause => ({
  code: 'image-not-found',
  message: `there is no image "${reference}": ${said}`,
  remedy: 'Check its name and tag.',
});
const denied = (reference: string, said: string): Cause => ({
  code: 'image-denied',
  message: `the registry does not hand out "${reference}": ${said}`,
  remedy: 'Check the name; for a private image, sign the engine in to the registry.',
});
const invalid = (reference: string, said: string): Cause => ({
  code: 'image-invalid',
  message: `"${reference}" is not an image this engine can run: ${said}`,
  remedy: 'Check that it is a container image in Docker or OCI format.',
});
const diskFull = (reference: string, said: string): Cause => ({
  code: 'disk-full',
  message: `the disk of the container engine is full, "${reference}" does not fit: ${said}`,
  remedy: 'Free space, for example with "docker system prune".',
});
const wrongMachine = (reference: string, said: string): Cause => ({
  code: 'wrong-platform',
  message: `"${reference}" is not made for this kind of machine: ${said}`,
  remedy: 'Choose an image that is.',
});
const unreachable = (reference: string, said: string): Cause => ({
  code: 'image-unreachable',
  message: `"${reference}" could not be fetched: ${said}`,
  remedy: "Check the registry's name and this machine's network; or use --pull never with a local image.",
});

export const wrongPlatform = (reference: string, image: string, engine: string): RuntimeError =>
  new RuntimeError('fatal', wrongMachine(reference, `it is made for ${image}, this machine is ${engine}`));
export const stalled = (reference: string, minutes: number): RuntimeError =>
  new RuntimeError('retry', unreachable(reference, `nothing arrived for ${minutes} minutes`));

const KINDS: readonly { readonly phrase: RegExp; readonly retry: false; readonly failure: (reference: string, said: string) => Cause }[] = [
  {
    phrase: /no matching manifest|image operating system|no image found in (?:manifest list|image index)/i,
    retry: false,
    failure: wrongMachine,
  },
  {
    phrase: /pull access denied|unauthorized|authentication required|denied:|403 forbidden|401 unauthorized|no basic auth/i,
    retry: false,
    failure: denied,
  },
  {
    phrase:
      /manifest unknown|not found: manifest|name unknown|repository .*not found|: not found|status:? 404|404 not found|reading manifest .* unknown/i,
    retry: false,
    failure: imageNotFound,
  },
  {
    phrase: /media type|unsupported manifest|invalid manifest|schema ?version|not supported by|unsupported image/i,
    retry: false,
    failure: invalid,
  },
];
