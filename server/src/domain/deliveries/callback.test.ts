import { expect, test } from 'vitest';
import { targetOf, withoutSecrets } from './callback.ts';

test("of a URL its host is the target, and path and query are nobody else's to see", () => {
  const url = 'https://hooks.example.org:8443/T0/B0/secret?token=x';
  expect(targetOf(url)).toBe('hooks.example.org');
  expect(withoutSecrets(url)).toBe('https://hooks.example.org:8443/');
});
