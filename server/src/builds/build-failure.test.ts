import { expect, test } from 'vitest';
import { asImageError, failureOfOutput } from './build-failure.ts';

test.each([
  ['Err:5 http://mirror/debian nope Release\n  404  Not Found [IP: 192.0.2.7 80]', 'image-not-found', 'does not have this Debian release'],
  [
    "W: Failed to fetch http://mirror/debian/dists/x/InRelease  Temporary failure resolving 'mirror'",
    'image-unreachable',
    'cannot be reached',
  ],
  ['dpkg: error processing archive: cannot copy extracted data: failed to write (No space left on device)', 'disk-full', 'disk is full'],
  [
    'E: Release file for http://mirror/InRelease is not valid yet (invalid for another 3h). E: it is expired',
    'image-unreachable',
    'not valid at this',
  ],
  ['fatal: certificate verification failed: self-signed certificate in certificate chain', 'image-unreachable', 'not trusted'],
])('a tool that said "%s" failed for the reason %s', (said, code, sentence) => {
  const { failure } = failureOfOutput('it could not be made', ['I: running', ...said.split('\n'), 'E: apt-get update failed']);
  expect(failure.code).toBe(code);
  expect(failure.message).toContain(sentence);
});

test('what is not known is quoted from its last error', () => {
  const { failure } = failureOfOutput('it could not be made', ['I: begun', 'E: setting up failed oddly', 'I: removing tempdir']);
  expect(failure.message).toBe('it could not be made: E: setting up failed oddly');
});

test('an engine that is not there is told by its code, not by its words', () => {
  const { failure } = asImageError('it could not be made', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
  expect(failure.code).toBe('engine-unavailable');
});
