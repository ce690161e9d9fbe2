import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusal.ts';

/** What `GET /` says: the newest version whose fields the clients then send. Both texts are taken apart by clients. */
export const ADVERTISED = { version: 'v6.20220615', manager: '22.09.19' } as const;

const ACCEPTED: ReadonlySet<string> = new Set([
  'v4.20181215',
  'v4.20190115',
  'v4.20190315',
  'v4.20190615',
  'v5.20191215',
  'v6.20200815',
  'v6.20210815',
  'v6.20220315',
  'v6.20220615',
  'v6.20221201',
  'v6.20230315',
  'v7.20230615',
  'v8.20240315',
  'v8.20240915',
  'v9.20250722',
]);

/** All accepted versions are answered alike; one that is not known is refused, none at all is fine. */
export function checkVersion(headers: IncomingHttpHeaders): void {
  const version = headers['x-backendai-version'] ?? headers['x-sorna-version'];
  if (version === undefined || ACCEPTED.has(String(version))) return;
  throw new Refusal('generic-bad-request', `"${String(version)}" is not a version this server answers: use ${ADVERTISED.version}`, {
    title: 'Unsupported API version.',
  });
}
