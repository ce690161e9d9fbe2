import { RuntimeError } from '../runtime.ts';

/** What the API server's `Status` object says; also the last word of an exec, on its status channel. */
export interface ApiStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** The API server answered, and said no. Callers look at `status`; who does not, passes it on as the RuntimeError that it is. */
export class ClusterRefusal extends RuntimeError {
  /** Of HTTP. */
  readonly status: number;
  /** The API server's own words. */
  readonly said: string;
  /** Its word for the kind of refusal: AlreadyExists, Conflict, Forbidden, … */
  readonly reason: string;
  constructor(status: number, body: string, options?: ErrorOptions) {
    const { said, reason } = wordsOf(body);
    super(kindOf(status, said), { code: 'rejected', ...sentence(status, said) }, options);
    this.status = status;
    this.said = said;
    this.reason = reason;
  }
}

/**
 * 502 to 504 are what a proxy, or an API server that is starting, says of what is behind it. Credentials that have expired and
 * rights that were taken away say nothing about sessions either: they go on, and are told of it.
 */
function kindOf(status: number, said: string): RuntimeError['kind'] {
  if (status === 401 || (status >= 502 && status <= 504)) return 'unreachable';
  if (status === 403) return isMissingRight(said) ? 'unreachable' : isQuota(said) ? 'retry' : 'fatal';
  return [400, 405, 422].includes(status) ? 'fatal' : 'retry';
}

function sentence(status: number, said: string): { message: string; remedy: string } {
  if (status === 401)
    return {
      message: `the cluster does not know who Berth is: ${said}`,
      remedy: 'Its token or certificate may have expired: renew what the kubeconfig names.',
    };
  if (status === 403 && isQuota(said))
    return { message: `the namespace's quota is used up: ${said}`, remedy: 'Wait until sessions have ended, or raise the ResourceQuota.' };
  if (status === 403)
    return isMissingRight(said)
      ? { message: `Berth lacks a right in the cluster: ${said}`, remedy: 'Give it the role that deploy/ describes.' }
      : { message: `the cluster forbids it: ${said}`, remedy: 'Ask who administers the cluster about its admission rules.' };
  return { message: `the cluster answered ${status}: ${said}`, remedy: 'The log of its API server says more.' };
}

// All of these are 403 Forbidden; only the words differ.
const isQuota = (said: string): boolean => said.includes('exceeded quota');
const isMissingRight = (said: string): boolean => /\bcannot [a-z]+ resource\b/.test(said);

function wordsOf(body: string): { said: string; reason: string } {
  const status = parseStatus(body);
  const said = status?.message ?? body.trim();
  return { said: said === '' ? 'no reason given' : said, reason: status?.reason ?? '' };
}

/** Undefined for what is no JSON object: proxies and the kubelet answer in plain text. */
export function parseStatus(body: string): ApiStatus | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Nobody answered, or the connection broke.
 * @param since of the first failure after the last answer
 */
export function clusterUnreachable(server: string, since: Date, error: unknown): RuntimeError {
  const { why, remedy } = explain(error);
  return new RuntimeError(
    'unreachable',
    {
      code: 'engine-unavailable',
      message: `the cluster at ${server} does not answer since ${since.toISOString().replace(/\.\d+Z$/, 'Z')}: ${why}`,
      remedy,
    },
    { cause: error },
  );
}

const WAIT = 'Sessions run on; wait, or look at the API server.';

function explain(thrown: unknown): { why: string; remedy: string } {
  // What a signal ended has the signal's reason for a cause: our time limit.
  const error = thrown instanceof Error && thrown.name === 'AbortError' && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words = error instanceof Error && error.message !== '' ? error.message : code || String(error);
  switch (code) {
    case 'ECONNREFUSED':
      return { why: 'nobody listens there', remedy: WAIT };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ABORT_ERR':
      return { why: 'the connection broke', remedy: WAIT };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { why: 'its name cannot be resolved', remedy: "Check the kubeconfig's server, and this machine's DNS." };
    default:
      return /CERT|TLS|SSL|SELF_SIGNED|VERIFY/.test(code)
        ? { why: `its certificate is not accepted (${words})`, remedy: "Check the kubeconfig's certificate authority." }
        : { why: words, remedy: WAIT };
  }
}
