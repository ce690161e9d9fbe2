import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import type { Outcome } from '../domain/deliveries/callback.ts';
import type { OutgoingRules } from '../domain/network/outgoing-rules.ts';
import { callbackProblem } from './callback-problem.ts';
import type { ResolveHost } from './resolve-host.ts';

export interface CallbackRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface PostOptions {
  readonly rules: OutgoingRules;
  readonly resolve: ResolveHost;
  readonly limits?: typeof LIMITS;
  /** Certificates to trust instead of the usual ones. */
  readonly ca?: string;
}

const LIMITS = { connectMs: 10_000, totalMs: 30_000, answerBytes: 4 * 1024 };

/** POSTs once, to an address that was checked. Throws only when it is stopped. */
export async function postCallback(request: CallbackRequest, options: PostOptions, stopping: AbortSignal): Promise<Outcome> {
  const { rules, resolve, limits = LIMITS, ca } = options;
  const { hostname } = new URL(request.url);
  const late = AbortSignal.timeout(limits.totalMs);
  const signal = AbortSignal.any([stopping, late]);
  try {
    const addresses = await resolve(hostname, signal);
    const refusal = rules.refusalOfAny(hostname, addresses);
    if (refusal !== undefined) return { status: null, problem: refusal };
    const answer = await send(request, { addresses, signal, connectMs: limits.connectMs, ca });
    await dropBody(answer, limits.answerBytes);
    return judged(answer.statusCode ?? 0);
  } catch (error) {
    if (stopping.aborted) throw error;
    return { status: null, problem: late.aborted ? `no answer within ${limits.totalMs / 1000} seconds` : callbackProblem(error, hostname) };
  }
}

interface Way {
  readonly addresses: readonly string[];
  readonly signal: AbortSignal;
  readonly connectMs: number;
  readonly ca: string | undefined;
}

/** A connection of its own: one that is kept would be to an address that was checked long ago. Redirects are answers like any other. */
function send({ url, headers, body }: CallbackRequest, { addresses, signal, connectMs, ca }: Way): Promise<IncomingMessage> {
  const isSecure = url.startsWith('https:');
  return new Promise((resolve, reject) => {
    const outgoing = (isSecure ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      agent: false,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      lookup: pinnedTo(addresses),
      signal,
      ...(ca !== undefined && { ca }),
    });
    const slow = setTimeout(() => outgoing.destroy(new Error(`no connection within ${connectMs / 1000} seconds`)), connectMs);
    outgoing.once('socket', (socket) => socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(slow)));
    // The last that comes of it, whatever went before: an answer that switches protocols is neither response nor error.
    outgoing.once('close', () => {
      clearTimeout(slow);
      reject(new Error('it closed the connection without an answer'));
    });
    outgoing.on('error', reject);
    outgoing.once('response', resolve);
    outgoing.end(body);
  });
}

/** Answers what was checked and asks nobody again: a name server may have changed its mind. */
function pinnedTo(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_, { all }, callback) => {
    const [first] = found;
    if (all === true || first === undefined) callback(null, found);
    else callback(null, first.address, first.family);
  };
}

/** A receiver may finish its answer, if it is short; how that goes is nobody's concern, since the status is known. */
function dropBody(answer: IncomingMessage, most: number): Promise<void> {
  let size = 0;
  return new Promise((resolve) => {
    answer.on('error', () => undefined);
    answer.once('close', resolve);
    answer.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) answer.destroy();
    });
  });
}

function judged(status: number): Outcome {
  if (status >= 200 && status < 300) return { status, problem: null };
  return { status, problem: status >= 300 && status < 400 ? `it answered ${status}; redirects are not followed` : `it answered ${status}` };
}
