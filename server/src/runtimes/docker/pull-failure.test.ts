import { describe, expect, it } from 'vitest';
import { pullFailure } from './pull-failure.ts';

describe('a failed pull', () => {
  it.each([
    ['manifest for x:1 not found: manifest unknown: manifest unknown', 'image-not-found', 'fatal'],
    ['reading manifest 1 in registry.example/x: manifest unknown: manifest unknown', 'image-not-found', 'fatal'],
    [
      "pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      'image-denied',
      'fatal',
    ],
    ['unauthorized: authentication required', 'image-denied', 'fatal'],
    ['Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host', 'image-unreachable', 'retry'],
    ['Get "https://registry.example/v2/": dial tcp 203.0.113.9:443: connect: connection refused', 'image-unreachable', 'retry'],
    ['no matching manifest for linux/arm64/v8 in the manifest list entries', 'wrong-platform', 'fatal'],
    ['failed to register layer: write /usr/x: no space left on device', 'disk-full', 'fatal'],
    ['something nobody has seen before', 'image-unreachable', 'retry'],
  ])('"%s" is %s', (said, code, kind) => {
    expect(pullFailure('x:1', said)).toMatchObject({ kind, failure: { code, message: expect.stringContaining(said) } });
  });
});
