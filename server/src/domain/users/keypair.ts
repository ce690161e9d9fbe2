const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ACCESS_KEY_BYTES = 10;
const SECRET_KEY_BYTES = 30;
const ACCESS_KEY = /^AKIA[A-Z2-7]{16}$/;

export const KEYPAIR_BYTES = ACCESS_KEY_BYTES + SECRET_KEY_BYTES;

/** Of KEYPAIR_BYTES from a good source of randomness. The access key names the pair and is no secret; the secret key signs requests. */
export function makeKeys(random: Buffer): { readonly accessKey: string; readonly secretKey: string } {
  if (random.length !== KEYPAIR_BYTES) throw new RangeError(`a key pair is made of ${KEYPAIR_BYTES} bytes, not of ${random.length}`);
  return {
    accessKey: `AKIA${base32(random.subarray(0, ACCESS_KEY_BYTES))}`,
    secretKey: random.subarray(ACCESS_KEY_BYTES).toString('base64url'),
  };
}

export const isAccessKey = (text: string): boolean => ACCESS_KEY.test(text);

/** Five bits a letter; the length is a multiple of five bytes. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replaceAll(/[01]{5}/g, (five) => BASE32.charAt(Number.parseInt(five, 2)));
}
