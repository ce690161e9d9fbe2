import { createHash, createHmac } from 'node:crypto';

const VERSION = 'v6.20220615';

/** What a client of Backend.AI sends with a GET of this address, signed now. */
export function signedHeaders(url: URL, keys: { accessKey: string; secretKey: string }): Readonly<Record<string, string>> {
  const date = new Date().toISOString();
  const type = 'application/json';
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const nothing = createHash('sha256').update('').digest('hex');
  const target = url.pathname + url.search;
  const text = ['GET', target, date, `host:${url.host}`, `content-type:${type}`, `x-backendai-version:${VERSION}`, nothing].join('\n');
  const key = hmac(hmac(keys.secretKey, date.slice(0, 10).replaceAll('-', '')), url.host);
  return {
    host: url.host,
    'content-type': type,
    'x-backendai-date': date,
    'x-backendai-version': VERSION,
    authorization: `BackendAI signMethod=HMAC-SHA256, credential=${keys.accessKey}:${hmac(key, text).toString('hex')}`,
  };
}
