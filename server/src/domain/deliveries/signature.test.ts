import { createHmac, timingSafeEqual } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { callbackKey, signatureOf } from './signature.ts';

const SECRET = Buffer.alloc(32, 7);
const AT = new Date('2026-01-01T00:00:00.900Z');

/** As docs/callbacks.md tells a receiver to check. */
function verify(key: string, header: string, body: string): boolean {
  const { t = '', v1 = '' } = Object.fromEntries(header.split(',').map((part) => part.split('=')));
  const right = createHmac('sha256', key).update(`${t}.${body}`).digest('hex');
  return (
    Math.abs(AT.getTime() / 1000 - Number(t)) < 300 && v1.length === right.length && timingSafeEqual(Buffer.from(v1), Buffer.from(right))
  );
}

describe('the signature of a callback', () => {
  const key = callbackKey(SECRET, 'u1');
  const body = '{"event":"started"}';

  test('is accepted by who has the key, for this body at this time', () => {
    const header = signatureOf(key, AT, body);
    expect(header).toMatch(/^t=1767225600,v1=[0-9a-f]{64}$/);
    expect(verify(key, header, body)).toBe(true);
  });
  test('is refused for another body, another time or another key', () => {
    const header = signatureOf(key, AT, body);
    expect(verify(key, header, `${body} `)).toBe(false);
    expect(verify(key, header.replace('t=1767225600', 't=1767225601'), body)).toBe(false);
    expect(verify(callbackKey(SECRET, 'u2'), header, body)).toBe(false);
    expect(verify(key, signatureOf(key, new Date(0), body), body)).toBe(false);
  });
  test("the key is one person's, the same again, and another with another secret key", () => {
    expect(callbackKey(SECRET, 'u1')).toBe(key);
    expect(key).toMatch(/^berth_callback_[A-Za-z0-9_-]{43}$/);
    expect(new Set([key, callbackKey(SECRET, 'u2'), callbackKey(Buffer.alloc(32, 8), 'u1')]).size).toBe(3);
  });
});
