import type { Cause } from '@berth/contract';
import { BuiltinImageError } from '../domain/images/builtin.ts';

/** apt, dpkg and the engines' builders have no codes for these, only sentences (in English: see run-tool.ts). First match wins. */
const SENTENCES: readonly (readonly [RegExp, Cause['code'], string, string])[] = [
  [
    /no space left on device/i,
    'disk-full',
    'the disk is full',
    'Free about 2 GiB where the engine and the cache folder lie, then try again',
  ],
  [
    /\b404 +Not Found/i,
    'image-not-found',
    'the package mirror does not have this Debian release or its lists are out of date',
    "Check the mirror in apt's sources, or choose a release with BERTH_BASE_SUITE",
  ],
  [
    /not live until|is expired|Release file .* expired/i,
    'image-unreachable',
    "the package mirror's lists are not valid at this machine's time",
    "Check this machine's clock, or the age of the mirror",
  ],
  [
    /temporary failure resolving|could not resolve|no such host|could not connect|connection (?:refused|timed out|failed)|network is unreachable|unable to connect|i\/o timeout/i,
    'image-unreachable',
    'the package mirror cannot be reached',
    'Check the network, or set a proxy for apt',
  ],
  [
    /certificate verif|self-signed certificate|certificate signed by unknown/i,
    'image-unreachable',
    "the package mirror's certificate is not trusted",
    'Put the authority that signed it into /usr/local/share/ca-certificates',
  ],
  [
    /NO_PUBKEY|not signed|keyring .* not found/i,
    'image-invalid',
    "the package mirror's signature cannot be checked",
    'Install the package debian-archive-keyring',
  ],
  [
    /EPERM|operation not permitted|permission denied/i,
    'image-denied',
    'this machine does not let its user make a Debian tree',
    'Make the image once as root: `sudo node server/src/builds/make-builtin.ts berth/base:latest`',
  ],
];

/** From what a tool printed last to a sentence for people. */
export function failureOfOutput(what: string, lines: readonly string[]): BuiltinImageError {
  const known = SENTENCES.find(([pattern]) => lines.some((line) => pattern.test(line)));
  if (known !== undefined) return imageFailure(known[1], `${what}: ${known[2]}`, known[3]);
  const last = lines.findLast((line) => /^E: |error/i.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  return imageFailure(
    'image-invalid',
    `${what}: ${last.trim().slice(0, 300)}`,
    'The whole output: `node server/src/builds/make-builtin.ts berth/base:latest`',
  );
}

export function imageFailure(code: Cause['code'], message: string, remedy: string): BuiltinImageError {
  return new BuiltinImageError({ code, message, remedy });
}

const ERRNO: Readonly<Record<string, readonly [Cause['code'], string, string]>> = {
  ENOSPC: ['disk-full', 'the disk is full', 'Free about 2 GiB, then try again'],
  EACCES: ['image-denied', 'no permission', 'Run Berth as a user who may use the engine, and who owns the cache folder'],
  ECONNREFUSED: ['engine-unavailable', 'the engine does not answer', 'Start it, or point DOCKER_HOST to one that runs'],
  ECONNRESET: ['engine-unavailable', 'the engine went away', 'Try again when it runs'],
  ENOENT: ['engine-unavailable', 'there is no engine', 'Start Docker or Podman, or point DOCKER_HOST to one that runs'],
};

/** Whatever went wrong, as the one error that makers throw. */
export function asImageError(what: string, error: unknown): BuiltinImageError {
  if (error instanceof BuiltinImageError) return error;
  if (!(error instanceof Error)) return imageFailure('image-invalid', `${what}: ${String(error)}`, 'Try again');
  const known = 'code' in error && typeof error.code === 'string' ? ERRNO[error.code] : undefined;
  if (known === undefined) return failureOfOutput(what, [error.message]);
  return imageFailure(known[0], `${what}: ${known[1]} (${error.message})`, known[2]);
}
