import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusal.ts';
import { parseSignedDate, type SignedDate } from './signed-date.ts';

const MAX_SKEW_MS = 15 * 60_000;
const HASHES: ReadonlySet<string> = new Set(['sha224', 'sha256', 'sha384', 'sha512', 'sha3-256', 'sha3-384', 'sha3-512']);

/** A request as it came: target and headers are what stood on the wire, byte for byte. */
export interface SignedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

/** What the request claims: checked with the secret of the access key. */
export interface Claim {
  readonly accessKey: string;
  readonly signature: string;
  readonly hash: string;
  readonly host: string;
  readonly day: string;
  readonly stringToSign: string;
}

/** Refuses what is no signed request of now; whether the signature is right only the secret tells. */
export function readClaim(request: SignedRequest, now: Date): Claim {
  const { headers } = request;
  const written = headers.date ?? one(headers['x-backendai-date']) ?? one(headers['x-sorna-date']);
  const date = signedNow(written, now);
  if (headers.authorization === undefined)
    throw new Refusal(
      'auth-failed',
      'the request is not signed: send an Authorization header as the SDKs do, with a key pair of `berth keypair create`',
      {
        title: 'Unauthorized access',
      },
    );
  const { accessKey, signature, hash } = parseAuthorization(headers.authorization);
  const host = headers.host ?? '';
  const lines = [
    request.method.toUpperCase(),
    request.target,
    written ?? '',
    `host:${host}`,
    `content-type:${mediaType(headers['content-type'])}`,
    versionLine(headers),
    // Every version that is accepted signs the empty text instead of the body.
    createHash(hash).update('').digest('hex'),
  ];
  return { accessKey, signature, hash, host, day: date.day, stringToSign: lines.join('\n') };
}

/** In constant time: how much of a wrong signature is right cannot be measured. */
export function isSignedWith(claim: Claim, secretKey: string): boolean {
  const expected = Buffer.from(signatureOf(claim, secretKey));
  const given = Buffer.from(claim.signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Lower-case hex, by a key of the secret, the day and the host. */
export function signatureOf({ hash, day, host, stringToSign }: Omit<Claim, 'signature' | 'accessKey'>, secretKey: string): string {
  const dayKey = createHmac(hash, secretKey).update(day).digest();
  const key = createHmac(hash, dayKey).update(host).digest();
  return createHmac(hash, key).update(stringToSign).digest('hex');
}

function signedNow(written: string | undefined, now: Date): SignedDate {
  const date = written === undefined ? undefined : parseSignedDate(written);
  const refuse = (message: string): Refusal =>
    new Refusal('invalid-auth-params', `Date/time sync error: ${message}`, { title: 'Date/time sync error' });
  if (date === undefined)
    throw refuse(written === undefined ? 'the request has no Date or X-BackendAI-Date header' : `"${written}" is no date`);
  if (Math.abs(now.getTime() - date.at.getTime()) >= MAX_SKEW_MS)
    throw refuse(`the request was signed at ${date.at.toISOString()}, here it is ${now.toISOString()}: set the client's clock right`);
  return date;
}

/** `BackendAI signMethod=HMAC-SHA256, credential=KEY:SIGNATURE`, in any order. */
function parseAuthorization(header: string): Pick<Claim, 'accessKey' | 'signature' | 'hash'> {
  const malformed = (what: string): Refusal =>
    new Refusal(
      'invalid-auth-params',
      `the Authorization header ${what}: it reads "BackendAI signMethod=HMAC-SHA256, credential=ACCESS_KEY:SIGNATURE"`,
    );
  const rest = /^(?:BackendAI|Sorna) +(.+)$/s.exec(header)?.[1];
  if (rest === undefined) throw malformed('is not of the scheme BackendAI');
  const fields = new Map(rest.split(',').map((part) => splitAt(part.trim(), '=')));
  const credential = fields.get('credential');
  const [accessKey, signature] = splitAt(credential ?? '', ':');
  if (accessKey === '' || signature === '') throw malformed('has no credential');
  const [mac, ...hash] = (fields.get('signMethod') ?? '').toLowerCase().split('-');
  if (mac !== 'hmac' || !HASHES.has(hash.join('-')))
    throw malformed(`has the sign method "${fields.get('signMethod') ?? ''}", which is not known`);
  return { accessKey, signature, hash: hash.join('-') };
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Which header names the version is part of what is signed. */
function versionLine(headers: IncomingHttpHeaders): string {
  for (const name of ['x-backendai-version', 'x-sorna-version']) {
    const value = one(headers[name]);
    if (value !== undefined) return `${name}:${value}`;
  }
  throw new Refusal('invalid-auth-params', 'the request has no X-BackendAI-Version header: it is part of what is signed');
}

const mediaType = (contentType: string | undefined): string =>
  contentType?.split(';')[0]?.trim().toLowerCase() ?? 'application/octet-stream';
const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
