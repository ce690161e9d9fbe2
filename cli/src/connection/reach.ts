import { Failure } from '../failure.ts';

const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name cannot be looked up now',
  ETIMEDOUT: 'it did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
  TimeoutError: 'it did not answer in time',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ECONNRESET: 'it broke the connection',
  UND_ERR_SOCKET: 'it broke the connection',
  EPIPE: 'it broke the connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted here: set NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted here: set NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted here: set NODE_EXTRA_CA_CERTS',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak https: try http://',
};

/** The server cannot be reached: names where it was looked for, why it failed and what to do. */
export function unreachable(url: string, error: unknown): Failure {
  const { hostname, port, protocol } = new URL(url);
  const address = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  const remedy = isHere ? 'Start it with: berth server' : 'Check the address (--url, BERTH_URL), the network and whether the server runs.';
  return new Failure('server-unreachable', `the Berth server at ${address} cannot be reached: ${reasonOf(error)}. ${remedy}`, {
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : error.name;
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return WHY[code] ?? (inner === undefined ? error.message || code : reasonOf(inner));
}

/** fetch's own failures (never an answer) become a Failure; aborts stay aborts. */
export const reachingFetch: typeof fetch = async (input, init) => {
  try {
    return await fetch(input, init);
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    throw unreachable(input instanceof Request ? input.url : String(input), error);
  }
};
