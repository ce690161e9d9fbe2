import { expect, test } from 'vitest';
import { parseImageReference } from './reference.ts';

test.each([
  ['docker://debian', 'debian:latest'],
  ['debian:13', 'debian:13'],
  ['docker://registry.example:5000/a/b_c:1.0-x', 'registry.example:5000/a/b_c:1.0-x'],
  [`berth/base@sha256:${'a'.repeat(64)}`, `berth/base@sha256:${'a'.repeat(64)}`],
])('%s is %s', (text, reference) => expect(parseImageReference(text)).toBe(reference));

test.each([
  ['berth://mine', 'not there yet'],
  ['oci://x', 'unknown scheme "oci://"'],
  ['docker://', 'not an image reference'],
  ['Debian', 'not an image reference'],
  ['a b', 'not an image reference'],
  ['../etc', 'not an image reference'],
  ['a:', 'not an image reference'],
  ['docker://UPPER/x', 'not an image reference'],
  ['-x', 'not an image reference'],
])('%s is refused: %s', (text, words) => expect(() => parseImageReference(text)).toThrow(words));
