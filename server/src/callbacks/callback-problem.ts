const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no name server knows this name',
  ENODATA: 'this name has no address',
  ESERVFAIL: 'the name server could not answer',
  ETIMEOUT: 'the name server did not answer',
  EAI_AGAIN: 'the name server did not answer',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection broke before there was an answer',
  EPIPE: 'the connection broke before there was an answer',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'no connection in time',
  EPROTO: 'it does not speak TLS',
  HPE_HEADER_OVERFLOW: 'the head of its answer is too large',
};
/** As Node names what is wrong with a certificate. */
const CERTIFICATE = /CERT|SELF_SIGNED|ISSUER|ALTNAME/;

/** Why something could not be delivered, for its owner: the host and no more of the URL. */
export function callbackProblem(error: unknown, host: string): string {
  const code = codeOf(error);
  return `"${host}": ${words(code) ?? (error instanceof Error ? error.message : String(error))}`;
}

function words(code: string): string | undefined {
  if (CERTIFICATE.test(code)) return `its certificate is not good for it (${code})`;
  return code.startsWith('HPE_') ? (WORDS[code] ?? 'its answer is not HTTP') : WORDS[code];
}

/** Several addresses were tried: the first failure stands for all. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && !('code' in error)) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
