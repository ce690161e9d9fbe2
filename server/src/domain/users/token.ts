import { createHash } from 'node:crypto';

const SECRET = /^berth_[A-Za-z0-9_-]{43}$/;
const SHOWN = 'berth_'.length + 6;

/** Of 32 bytes from a good source of randomness. `hash` is what is stored, `prefix` what a person recognises it by, `secret` is shown once. */
export function newTokenSecret(random: Buffer): { readonly secret: string; readonly hash: string; readonly prefix: string } {
  const secret = `berth_${random.toString('base64url')}`;
  return { secret, hash: hashToken(secret), prefix: secret.slice(0, SHOWN) };
}

/** sha256, hex: enough for a secret of full entropy. */
export const hashToken = (secret: string): string => createHash('sha256').update(secret).digest('hex');

export const isTokenShaped = (text: string): boolean => SECRET.test(text);
