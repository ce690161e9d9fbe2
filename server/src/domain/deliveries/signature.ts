import { createHmac, hkdfSync } from 'node:crypto';

const KEY_BYTES = 32;

/** With what a user's callbacks are signed: hers alone, the same as long as the installation keeps its secret key. */
export function callbackKey(secretKey: Buffer, userId: string): string {
  const key = hkdfSync('sha256', secretKey, Buffer.alloc(0), `callback/${userId}`, KEY_BYTES);
  return `berth_callback_${Buffer.from(key).toString('base64url')}`;
}

/** `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body", keyed with the text of the key>`. */
export function signatureOf(key: string, at: Date, body: string): string {
  const t = Math.floor(at.getTime() / 1000);
  return `t=${t},v1=${createHmac('sha256', key).update(`${t}.${body}`).digest('hex')}`;
}
