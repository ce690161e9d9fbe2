/** Exit codes of the command line itself; otherwise the workload's own. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  timeout: 124,
  hangUp: 129,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143,
} as const;

export type FailureCode = 'usage' | 'not-signed-in' | 'server-unreachable' | 'connection-lost' | 'timed-out' | 'interrupted' | 'failed';

const EXIT_CODES: Record<FailureCode, number> = {
  usage: EXIT.usage,
  'not-signed-in': EXIT.failure,
  'server-unreachable': EXIT.failure,
  'connection-lost': EXIT.failure,
  'timed-out': EXIT.timeout,
  interrupted: EXIT.interrupted,
  failed: EXIT.failure,
};

/** Something the command line itself has to say: what failed, and what to do about it. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly exitCode: number;
  constructor(code: FailureCode, detail: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? EXIT_CODES[code];
  }
}
