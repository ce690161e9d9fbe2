import { z } from 'zod';
import { PROBLEMS, type ProblemCode } from './problems.ts';

/** RFC 9457 problem details, as every failed request is answered. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string().meta({ description: 'What is wrong, with the offending value, and what to do' }),
  field: z.string().optional(),
  requestId: z.string().optional(),
});
export type Problem = z.output<typeof Problem>;

/** A problem on its way: thrown by the server's rules and by the client when an answer is one. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly field: string | undefined;
  constructor(code: ProblemCode, detail: string, options: { field?: string; cause?: unknown } = {}) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.field = options.field;
  }
  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);
