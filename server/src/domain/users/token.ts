import { createHash, randomBytes } from 'node:crypto';

const SECRET = /^berth_[A-Za-z0-9_-]{43}$/;
const SHOWN = 'berth_'.length + 6;

/** 256 random bits. `hash` is what is stored, `prefix` what a person recognises it by, `secret` is shown once. */
export function newTokenSecret(): { readonly secret: string; readonly hash: string; readonly prefix: string } {
  const secret = `berth_${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashToken(secret), prefix: secret.slice(0, SHOWN) };
}

/** sha256, hex: enough for a secret of full entropy. */
export const hashToken = (secret: string): string => createHash('sha256').update(secret).digest('hex');

export const isTokenShaped = (text: string): boolean => SECRET.test(text);
