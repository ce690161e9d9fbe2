import { ProblemError, PROBLEMS, type Problem, type ProblemCode } from '@berth/contract';
import { RuntimeError } from '../runtimes/runtime.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** RFC 9457, with the code's status and title. */
export function toProblem(error: ProblemError, requestId: string): Problem {
  const { status, title } = PROBLEMS[error.code];
  return {
    type: `urn:berth:problem:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    requestId,
    ...(error.field === undefined ? {} : { field: error.field }),
  };
}

/** What went wrong, in the contract's words. Whatever is not known here is `internal`: its cause is for the log alone. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof RuntimeError) return fromRuntime(error);
  const { code, statusCode } = labels(error);
  const known = code === undefined ? undefined : FASTIFY[code];
  if (known !== undefined) return new ProblemError(known.code, known.detail, { cause: error });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ProblemError('bad-request', error instanceof Error ? error.message : 'the request is malformed', { cause: error });
  }
  return new ProblemError('internal', 'something went wrong inside Berth: tell an administrator the request id', { cause: error });
}

function fromRuntime(error: RuntimeError): ProblemError {
  const { message, remedy } = error.failure;
  return new ProblemError(error.kind === 'unreachable' ? 'engine-unavailable' : 'wrong-state', `${message}: ${remedy}`, { cause: error });
}

function labels(error: unknown): { code?: string; statusCode?: number } {
  if (typeof error !== 'object' || error === null) return {};
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  return { ...(typeof code === 'string' ? { code } : {}), ...(typeof statusCode === 'number' ? { statusCode } : {}) };
}

const FASTIFY: Readonly<Record<string, { code: ProblemCode; detail: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'wrong-content-type', detail: 'the body must be JSON: send "Content-Type: application/json"' },
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'too-large', detail: 'the body is larger than 1MiB: send less' },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: 'bad-request',
    detail: 'the body is not JSON that can be read: check quotes, commas and brackets',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    code: 'bad-request',
    detail: 'the content type says JSON, but the body is empty: send {} or leave the header out',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'bad-request', detail: 'the body is not as long as the Content-Length header says' },
};
