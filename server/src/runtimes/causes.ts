import type { Cause } from '@berth/contract';

/** What fails the same way on every engine is told in the same words. `said` is the engine's own sentence. */

export const imageNotFound = (reference: string, said: string): Cause => ({
  code: 'image-not-found',
  message: `there is no image "${reference}": ${said}`,
  remedy: 'Check its name and tag.',
});
export const imageNotHere = (reference: string): Cause => ({
  ...imageNotFound(reference, 'it is not on this node, and pulling was ruled out'),
  remedy: 'Leave out --pull never, or load the image on the node.',
});
const imageDenied = (reference: string, said: string): Cause => ({
  code: 'image-denied',
  message: `the registry does not hand out "${reference}": ${said}`,
  remedy: 'Check the name; for a private image, sign the engine in to the registry.',
});
export const imageInvalid = (reference: string, said: string): Cause => ({
  code: 'image-invalid',
  message: `"${reference}" is not an image this engine can run: ${said}`,
  remedy: 'Check that it is a container image in Docker or OCI format.',
});
const diskFull = (reference: string, said: string): Cause => ({
  code: 'disk-full',
  message: `the disk of the container engine is full, "${reference}" does not fit: ${said}`,
  remedy: 'Free space, for example with "docker system prune".',
});
export const wrongMachine = (reference: string, said: string): Cause => ({
  code: 'wrong-platform',
  message: `"${reference}" is not made for this kind of machine: ${said}`,
  remedy: 'Choose an image that is.',
});
export const imageUnreachable = (reference: string, said: string): Cause => ({
  code: 'image-unreachable',
  message: `"${reference}" could not be fetched: ${said}`,
  remedy: "Check the registry's name and this machine's network; or use --pull never with a local image.",
});

export const isDiskFull = (said: string): boolean => said.includes('no space left on device');

/**
 * Engines report a failed pull as a sentence and nothing else. So this, for once, reads text: phrases of registries' error
 * codes first, then of Go's network errors. Only what cannot be fetched may be there the next time.
 */
export function imageCause(reference: string, said: string): Cause {
  const make = isDiskFull(said) ? diskFull : PHRASES.find(([phrase]) => phrase.test(said))?.[1];
  return (make ?? imageUnreachable)(reference, said);
}

const PHRASES: readonly (readonly [RegExp, (reference: string, said: string) => Cause])[] = [
  [/no matching manifest|image operating system|no image found in (?:manifest list|image index)/i, wrongMachine],
  [/pull access denied|unauthorized|authentication required|denied:|403 forbidden|401 unauthorized|no basic auth/i, imageDenied],
  [
    /manifest unknown|not found: manifest|name unknown|repository .*not found|: not found|status:? 404|404 not found|reading manifest .* unknown/i,
    imageNotFound,
  ],
  [/media type|unsupported manifest|invalid manifest|schema ?version|not supported by|unsupported image/i, imageInvalid],
];

export function outOfMemory(limit: { readonly memoryBytes: number; readonly reserved: boolean }): Cause {
  return {
    code: 'out-of-memory',
    message: `out of memory: it needed more than its limit of ${inMebibytes(limit.memoryBytes)} and was killed`,
    remedy: limit.reserved ? 'Ask for more with --memory.' : 'No memory was reserved for it: reserve what it needs with --memory.',
  };
}

export const machineOutOfMemory: Cause = {
  code: 'out-of-memory',
  message: 'out of memory: the whole machine ran short, and this session was killed to help the others',
  remedy: 'Reserve memory with --memory: sessions without a reservation are the first to go.',
};

const inMebibytes = (bytes: number): string => (bytes % 2 ** 30 === 0 ? `${bytes / 2 ** 30}GiB` : `${Math.round(bytes / 2 ** 20)}MiB`);

export const noShell: Cause = {
  code: 'no-shell',
  message: 'the image has no shell (/bin/sh)',
  remedy: 'Give the command to run after "--", or choose an image with a shell.',
};
export const noShellForBootstrap: Cause = {
  ...noShell,
  message: 'the image has no shell (/bin/sh), which a bootstrap script needs',
  remedy: 'Leave the bootstrap script out, or choose an image with a shell.',
};
/** @param exitCode where the engine knows it */
export const bootstrapFailed = (exitCode: number | undefined): Cause => ({
  code: 'bootstrap-failed',
  message: `its bootstrap script failed${exitCode === undefined ? '' : ` with exit code ${exitCode}`}, so its command was not run`,
  remedy: 'Its last lines, in "berth session show" and "berth session logs", say more; correct it and create the session again.',
});
export const notExecutable = (program: string): Cause => ({
  code: 'not-executable',
  message: `"${program}" is there but cannot be executed`,
  remedy: 'Check its permissions, its "#!" line and that it is made for this processor.',
});
export const commandNotFound = (program: string): Cause => ({
  code: 'command-not-found',
  message: `the command "${program}" is not in the image`,
  remedy: 'Check its spelling, or choose an image that has it.',
});
