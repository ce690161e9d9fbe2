import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSignedWith, readClaim, signatureOf, type SignedRequest } from './signature.ts';

const ACCESS_KEY = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const NOW = new Date('2026-01-02T03:05:00Z');
const MICRO = '2026-01-02T03:04:05.678901+00:00';

const request = (method: string, target: string, headers: Record<string, string>): SignedRequest => ({
  method,
  target,
  headers: { host: '127.0.0.1:8090', 'x-backendai-version': 'v6.20220615', 'content-type': 'application/json', ...headers },
});
const authorization = (signature: string, accessKey = ACCESS_KEY): string =>
  `BackendAI signMethod=HMAC-SHA256, credential=${accessKey}:${signature}`;
const verified = (signed: SignedRequest, secret = SECRET): boolean => isSignedWith(readClaim(signed, NOW), secret);

describe('what real clients sign is accepted', () => {
  test.each([
    [
      request('GET', '/session/mysession-01', {
        'x-backendai-date': '2026-01-02T03:04:05.678Z',
        authorization: authorization('1ff69ded7cc36b5f0bb726e0d3070242c75cac8b319f957950bb5ac27765772a'),
      }),
    ],
    [
      request('POST', '/session', {
        date: MICRO,
        authorization: authorization('7031822721104fe778561218b6d0b43a7cb85bf4b049319bd1158b95da98581e'),
      }),
    ],
    [
      request('DELETE', '/session/mysession-01?forced=true', {
        date: MICRO,
        host: 'api.example.com',
        'content-type': 'text/plain',
        'x-backendai-version': 'v9.20250722',
        authorization: authorization('f1fbd055ac43e50e15bb883167dd5bf2c8c9b3eed93ddb03628398112c120613'),
      }),
    ],
  ])('golden vector %#', (signed) => expect(verified(signed)).toBe(true));

  test('spaces, order and the case of the sign method do not matter; the old words are known', () => {
    const signature = '7031822721104fe778561218b6d0b43a7cb85bf4b049319bd1158b95da98581e';
    const other = `Sorna credential=${ACCESS_KEY}:${signature},signMethod=hmac-sha256`;
    expect(verified(request('post', '/session', { date: MICRO, authorization: other }))).toBe(true);
  });

  test('parameters of the content type, such as the boundary of an upload, are not signed', () => {
    const plain = request('POST', '/session/x/upload', {
      date: MICRO,
      'content-type': 'multipart/form-data',
      authorization: authorization('0'),
    });
    const signature = signatureOf(readClaim(plain, NOW), SECRET);
    const sent = { ...plain.headers, 'content-type': 'Multipart/Form-Data; boundary=xyz', authorization: authorization(signature) };
    expect(verified({ ...plain, headers: sent })).toBe(true);
  });
});

/** One character of a text changed into another one. */
const changed = (text: string) =>
  fc
    .tuple(fc.nat({ max: text.length - 1 }), fc.integer({ min: 33, max: 126 }))
    .map(([at, code]) => `${text.slice(0, at)}${String.fromCodePoint(code)}${text.slice(at + 1)}`)
    .filter((other) => other !== text);

describe('any other byte than was signed is refused', () => {
  const good = request('POST', '/session/one?forced=true&a=%41', { date: MICRO });
  const signature = signatureOf(readClaim({ ...good, headers: { ...good.headers, authorization: authorization('0') } }, NOW), SECRET);
  const signed: SignedRequest = { ...good, headers: { ...good.headers, authorization: authorization(signature) } };
  const accepts = (other: SignedRequest, secret = SECRET): boolean => {
    try {
      return verified(other, secret);
    } catch {
      return false;
    }
  };

  test('as it was signed it is accepted', () => expect(accepts(signed)).toBe(true));

  test('the target', () => fc.assert(fc.property(changed(signed.target), (target) => !accepts({ ...signed, target }))));
  test('the method', () =>
    fc.assert(fc.property(fc.constantFrom('GET', 'PATCH', 'DELETE', 'PUT', ''), (method) => !accepts({ ...signed, method }))));
  test('the signature', () =>
    fc.assert(
      fc.property(
        changed(signature),
        (other) => !accepts({ ...signed, headers: { ...signed.headers, authorization: authorization(other) } }),
      ),
    ));
  test('the secret', () => fc.assert(fc.property(changed(SECRET), (secret) => !accepts(signed, secret))));
  test.each(['host', 'date', 'x-backendai-version'])('%s', (name) => {
    fc.assert(
      fc.property(changed(String(signed.headers[name])), (value) => !accepts({ ...signed, headers: { ...signed.headers, [name]: value } })),
    );
  });
  test('the content type', () => {
    expect(accepts({ ...signed, headers: { ...signed.headers, 'content-type': 'text/plain' } })).toBe(false);
    const { 'content-type': _, ...without } = signed.headers;
    expect(accepts({ ...signed, headers: without })).toBe(false);
  });
});

describe('what is refused at once says why', () => {
  const at = (date: string | undefined, more: Record<string, string> = {}): SignedRequest =>
    request('GET', '/', { ...(date === undefined ? {} : { date }), authorization: authorization('0'), ...more });
  test.each([
    ['no date', at(undefined), 'invalid-auth-params', 'Date/time sync error'],
    ['a date that is none', at('yesterday'), 'invalid-auth-params', '"yesterday"'],
    ['a day that is none', at('2026-02-30T00:00:00Z'), 'invalid-auth-params', 'is no date'],
    ['a clock a quarter of an hour behind', at('2026-01-02T02:50:00Z'), 'invalid-auth-params', "set the client's clock right"],
    ['a clock a quarter of an hour ahead', at('2026-01-02T03:20:00Z'), 'invalid-auth-params', "set the client's clock right"],
    ['another scheme', at(MICRO, { authorization: 'Bearer berth_x' }), 'invalid-auth-params', 'scheme'],
    ['no credential', at(MICRO, { authorization: 'BackendAI signMethod=HMAC-SHA256' }), 'invalid-auth-params', 'no credential'],
    [
      'half a credential',
      at(MICRO, { authorization: `BackendAI signMethod=HMAC-SHA256, credential=${ACCESS_KEY}` }),
      'invalid-auth-params',
      'no credential',
    ],
    ['no MAC', at(MICRO, { authorization: `BackendAI signMethod=RSA-SHA256, credential=a:b` }), 'invalid-auth-params', 'RSA-SHA256'],
    [
      'an unknown hash',
      at(MICRO, { authorization: `BackendAI signMethod=HMAC-ROT13, credential=a:b` }),
      'invalid-auth-params',
      'HMAC-ROT13',
    ],
  ])('%s', (_, signed, kind, words) => {
    expect(() => readClaim(signed, NOW)).toThrow(expect.objectContaining({ kind, message: expect.stringContaining(words) }));
  });

  test('no version', () => {
    const { 'x-backendai-version': _, ...headers } = at(MICRO).headers;
    expect(() => readClaim({ method: 'GET', target: '/', headers }, NOW)).toThrow(expect.objectContaining({ kind: 'invalid-auth-params' }));
  });

  test('no signature at all', () => {
    const { authorization: _, ...headers } = at(MICRO).headers;
    expect(() => readClaim({ method: 'GET', target: '/', headers }, NOW)).toThrow(
      expect.objectContaining({ kind: 'auth-failed', status: 401, title: 'Unauthorized access' }),
    );
  });

  test('just inside a quarter of an hour is fine, on both sides', () => {
    for (const date of ['2026-01-02T02:50:00.001Z', '2026-01-02T03:19:59.999Z'])
      expect(readClaim(at(date), NOW).accessKey).toBe(ACCESS_KEY);
  });
});
