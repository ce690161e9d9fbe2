import { expect, test } from 'vitest';
import { parseMount } from './parse-mount.ts';

test.each([
  ['data', { storage: 'data' }],
  ['data:ro', { storage: 'data', readOnly: true }],
  ['data:/work/in', { storage: 'data', target: '/work/in' }],
  ['data:/work/in:ro', { storage: 'data', target: '/work/in', readOnly: true }],
])('%s', (text, mount) => expect(parseMount(text)).toEqual(mount));

test.each(['', ':/work/in', 'data:', 'data:in', 'data:/a:/b', 'data:/a:rw'])('%j is refused, with how to write it', (text) =>
  expect(() => parseMount(text)).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringMatching(/^--mount: .*NAME:\/work\/folder/) }),
  ),
);
