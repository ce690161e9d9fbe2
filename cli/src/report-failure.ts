import type { ProblemError } from '@berth/contract';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';

interface Reported {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly status?: number;
  readonly field?: string;
  readonly exitCode: number;
}

/** One sentence for people, a problem object with --json; answers the exit code. Never a stack trace. */
export async function reportFailure(error: unknown, io: Io, json: boolean): Promise<number> {
  const reported = await describe(error);
  const { exitCode, ...problem } = reported;
  io.stderr.write(json ? `${JSON.stringify({ type: `urn:berth:problem:${reported.code}`, ...problem })}\n` : `Error: ${reported.detail}\n`);
  if (io.env['BERTH_DEBUG'] && error instanceof Error) io.stderr.write(`${error.stack}\n`);
  return exitCode;
}

const TITLES: Record<Failure['code'], string> = {
  usage: 'The command was not understood',
  'not-signed-in': 'Not signed in',
  'server-unreachable': 'The server does not answer',
  'connection-lost': 'The connection was lost',
  'timed-out': 'The time is up',
  interrupted: 'Interrupted',
  failed: 'It did not work',
};

async function describe(error: unknown): Promise<Reported> {
  if (error instanceof Failure) return { code: error.code, title: TITLES[error.code], detail: error.message, exitCode: error.exitCode };
  if (isProblem(error)) return describeProblem(error);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name.endsWith('ZodError')) {
    const detail = 'the server answered something this command line does not understand: are both of the same version? See berth version.';
    return { code: 'version-mismatch', title: 'Not understood', detail, exitCode: 1 };
  }
  const detail = `berth made a mistake (${message.split('\n')[0]}); please report it. With BERTH_DEBUG=1 it shows where.`;
  return { code: 'internal', title: 'Berth made a mistake', detail, exitCode: 1 };
}

/** By name, not by class: the contract is only loaded by commands that speak to a server. */
const isProblem = (error: unknown): error is ProblemError => error instanceof Error && error.name === 'ProblemError';

async function describeProblem(problem: ProblemError): Promise<Reported> {
  const { PROBLEMS } = await import('@berth/contract');
  const { status, title, exitCode } = PROBLEMS[problem.code];
  const stop = /[.!?]$/.test(problem.message) ? '' : '.';
  const remedy = problem.code === 'not-signed-in' && !problem.message.includes('berth login') ? `${stop} Sign in with: berth login` : '';
  return {
    code: problem.code,
    title,
    status,
    detail: `${problem.message}${remedy}`,
    ...(problem.field === undefined ? {} : { field: problem.field }),
    exitCode,
  };
}
