import { PROBLEMS, type ProblemCode, type ProblemError } from '@berth/contract';
import { asProblem } from '../problems.ts';

const TYPES = 'https://api.backend.ai/probs/';
export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

/** Their kinds of problem: the status and the title each has unless a refusal says otherwise. */
const KINDS = {
  'invalid-auth-params': { status: 400, title: 'Missing or invalid authorization parameters.' },
  'auth-failed': { status: 401, title: 'Credential/signature mismatch.' },
  'invalid-api-params': { status: 400, title: 'Missing or invalid API parameters.' },
  'generic-bad-request': { status: 400, title: 'Bad request.' },
  'graphql-error': { status: 400, title: 'GraphQL-generated error' },
  'session-already-exists': { status: 400, title: 'The session already exists but you requested not to reuse existing one.' },
  'vfolder-already-exists': { status: 400, title: 'The virtual folder already exists with the same name.' },
  'generic-forbidden': { status: 403, title: 'Forbidden operation.' },
  'insufficient-privilege': { status: 403, title: 'Insufficient privilege.' },
  'object-not-found': { status: 404, title: 'No such object.' },
  'too-many-sessions-matched': { status: 404, title: 'Too many sessions matched.' },
  'url-not-found': { status: 404, title: 'Unknown URL path.' },
  'method-not-allowed': { status: 405, title: 'HTTP Method Not Allowed.' },
  'quota-exceeded': { status: 412, title: 'You have reached your resource limit.' },
  'rate-limit-exceeded': { status: 429, title: 'You have reached your API query rate limit.' },
  'internal-server-error': { status: 500, title: 'Internal server error.' },
  'not-implemented': { status: 501, title: 'This API is not implemented.' },
  'service-unavailable': { status: 503, title: 'Service unavailable.' },
} as const satisfies Record<string, { status: number; title: string }>;
type Kind = keyof typeof KINDS;

/** Berth's problems in their words. */
const KIND_OF: Readonly<Record<ProblemCode, Kind>> = {
  'bad-request': 'invalid-api-params',
  'invalid-field': 'invalid-api-params',
  'unsupported-yet': 'not-implemented',
  'not-signed-in': 'auth-failed',
  forbidden: 'generic-forbidden',
  'not-found': 'object-not-found',
  'name-taken': 'session-already-exists',
  'wrong-state': 'invalid-api-params',
  'token-reused': 'invalid-api-params',
  'ambiguous-id': 'too-many-sessions-matched',
  'too-large': 'generic-bad-request',
  'wrong-content-type': 'invalid-api-params',
  'never-fits': 'quota-exceeded',
  'too-many-requests': 'rate-limit-exceeded',
  internal: 'internal-server-error',
  'not-supported': 'not-implemented',
  'engine-unavailable': 'service-unavailable',
  'database-unavailable': 'service-unavailable',
  'shutting-down': 'service-unavailable',
};

/** "Larger than anything here" has a status of its own. */
const STATUS_OF: Partial<Record<ProblemCode, number>> = { 'never-fits': 406 };

interface Particulars {
  readonly title?: string;
  readonly data?: unknown;
  readonly status?: number;
  readonly cause?: unknown;
}

/** A request refused in their words; the message says what is wrong and what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly kind: Kind;
  readonly title: string;
  readonly status: number;
  readonly data: unknown;

  constructor(kind: Kind, message: string, { title, data, status, cause }: Particulars = {}) {
    super(message, { cause });
    this.kind = kind;
    this.title = title ?? KINDS[kind].title;
    this.status = status ?? KINDS[kind].status;
    this.data = data;
  }
}

/** Whatever was thrown, in their words. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const problem = asProblem(error);
  const status = STATUS_OF[problem.code];
  return new Refusal(KIND_OF[problem.code], problem.message, {
    cause: problem,
    ...(problem.field === undefined ? {} : { data: { [problem.field]: problem.message } }),
    ...(status === undefined ? {} : { status }),
    ...(problem.code === 'internal' ? {} : { title: titleOf(problem) }),
  });
}

function titleOf(problem: ProblemError): string {
  return problem.code === 'invalid-field' ? 'Input validation error' : PROBLEMS[problem.code].title;
}

/** The body of the answer. */
export const problemBody = ({ kind, title, message, data }: Refusal): object => ({
  type: TYPES + kind,
  title,
  msg: message,
  ...(data === undefined ? {} : { data }),
});
