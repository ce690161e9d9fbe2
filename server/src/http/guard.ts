import { ProblemError } from '@berth/contract';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses what a browser was tricked into sending: a Host that is not ours (DNS rebinding), an origin that is not ours (CSRF). */
export function guard(request: IncomingMessage, allowedHosts: readonly string[]): void {
  const host = request.headers.host ?? '';
  if (!isOurs(host, allowedHosts)) {
    throw new ProblemError(
      'forbidden',
      `this server is not "${host}": reach it as localhost, by its address, or by a configured host name`,
    );
  }
  const opensSocket = request.headers.upgrade !== undefined;
  if (SAFE.has(request.method ?? 'GET') && !opensSocket) return;
  refuseForeignOrigin(request, host);
}

/** A name somebody else's DNS can point here is no proof; localhost, a literal address and a configured name are. */
function isOurs(host: string, allowedHosts: readonly string[]): boolean {
  const name = hostName(host);
  return name !== undefined && (name === 'localhost' || isIP(name) !== 0 || allowedHosts.includes(name));
}

/** Lower case, without port and brackets; undefined when it is no host at all. */
function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function refuseForeignOrigin(request: IncomingMessage, host: string): void {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new ProblemError(
      'forbidden',
      `a page of another origin sent this request (Sec-Fetch-Site: ${site}): only this server's own pages may`,
    );
  }
  const { origin } = request.headers;
  if (origin !== undefined && originHost(origin) !== host.toLowerCase()) {
    throw new ProblemError('forbidden', `the origin "${origin}" is not this server's: only its own pages may send this request`);
  }
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
