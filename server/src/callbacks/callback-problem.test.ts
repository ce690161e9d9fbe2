import { expect, test } from 'vitest';
import { callbackProblem } from './callback-problem.ts';

const failure = (code: string): Error => Object.assign(new Error(`${code} at https://x/?token=secret`), { code });

test.each([
  ['ENOTFOUND', 'no name server knows this name'],
  ['ECONNREFUSED', 'nothing listens there'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is not good for it (ERR_TLS_CERT_ALTNAME_INVALID)'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is not good for it (DEPTH_ZERO_SELF_SIGNED_CERT)'],
  ['CERT_HAS_EXPIRED', 'its certificate is not good for it (CERT_HAS_EXPIRED)'],
  ['HPE_INVALID_CONSTANT', 'its answer is not HTTP'],
  ['HPE_HEADER_OVERFLOW', 'the head of its answer is too large'],
])('%s is said in words, with the host and no more', (code, words) => {
  expect(callbackProblem(failure(code), 'hooks.example.org')).toBe(`"hooks.example.org": ${words}`);
});

test('of several addresses that were tried the first failure is told', () => {
  expect(callbackProblem(new AggregateError([failure('ECONNREFUSED'), failure('ETIMEDOUT')]), 'h')).toBe('"h": nothing listens there');
});

test('what has no code is told in its own words', () => {
  expect(callbackProblem(new Error('no connection within 10 seconds'), 'h')).toBe('"h": no connection within 10 seconds');
});
