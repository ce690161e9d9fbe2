import { expect, test } from 'vitest';
import { RuntimeError } from '../runtime.ts';
import { ClusterRefusal, clusterUnreachable } from './errors.ts';

const body = (message: string, reason = 'Forbidden'): string => JSON.stringify({ kind: 'Status', status: 'Failure', message, reason });

test.each([
  [
    403,
    body('pods is forbidden: User "u" cannot list resource "pods"'),
    'unreachable',
    'Berth lacks a right in the cluster: pods is forbidden',
  ],
  [403, body('pods "p" is forbidden: exceeded quota: q'), 'retry', "the namespace's quota is used up: pods"],
  [403, body('pods "p" is forbidden: violates PodSecurity "restricted:latest"'), 'fatal', 'the cluster forbids it: pods "p"'],
  [403, body('pods is forbidden: User "u" cannot list resource "pods": RBAC: role "r" not found'), 'unreachable', 'Berth lacks a right'],
  [401, body('Unauthorized', 'Unauthorized'), 'unreachable', 'the cluster does not know who Berth is: Unauthorized'],
  [404, body('pods "p" not found', 'NotFound'), 'retry', 'the cluster answered 404: pods "p" not found'],
  [422, body('Pod "p" is invalid', 'Invalid'), 'fatal', 'the cluster answered 422: Pod "p" is invalid'],
  [500, 'plain words\n', 'retry', 'the cluster answered 500: plain words'],
  [503, '', 'unreachable', 'the cluster answered 503: no reason given'],
])('%i %s is %s: %s', (status, said, kind, message) => {
  const refusal = new ClusterRefusal(status, said);
  expect(refusal).toBeInstanceOf(RuntimeError);
  expect(refusal).toMatchObject({ status, kind });
  expect(refusal.message).toContain(message);
  expect(refusal.failure.remedy).not.toBe('');
});

test('the word for the kind of refusal is kept', () => {
  expect(new ClusterRefusal(409, body('pods "p" already exists', 'AlreadyExists')).reason).toBe('AlreadyExists');
});

const failure = (code: string, message = ''): Error => Object.assign(new Error(message), { code });

test.each([
  [failure('ECONNREFUSED'), 'nobody listens there'],
  [failure('ECONNRESET', 'read ECONNRESET'), 'the connection broke'],
  [failure('ENOTFOUND'), 'its name cannot be resolved'],
  [failure('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate'), 'its certificate is not accepted (self-signed certificate)'],
  [new Error('no answer within 30 s'), 'no answer within 30 s'],
  [Object.assign(new Error('aborted', { cause: new Error('no answer within 30 s') }), { name: 'AbortError' }), 'no answer within 30 s'],
])('%s says since when and why', (error, why) => {
  const unreachable = clusterUnreachable('https://c:6443', new Date('2026-11-20T10:21:47.123Z'), error);
  expect(unreachable).toMatchObject({ kind: 'unreachable', failure: { code: 'engine-unavailable' } });
  expect(unreachable.message).toBe(`the cluster at https://c:6443 does not answer since 2026-11-20T10:21:47Z: ${why}`);
});
