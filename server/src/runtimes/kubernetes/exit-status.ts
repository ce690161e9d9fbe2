import { parseStatus } from './errors.ts';

/** How an exec ended, as its status channel tells it. `failure`: the words about one that never began. */
export interface ExitStatus {
  readonly exitCode?: number;
  readonly failure?: string;
}

/**
 * An exec that never began is told by an error of the container runtime; as a shell has it, 127 is what is not there and
 * 126 what cannot be executed.
 */
export function exitStatusOf(body: string): ExitStatus {
  const status = parseStatus(body);
  if (status?.status === 'Success') return { exitCode: 0 };
  const code = status?.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (code !== undefined && /^\d+$/.test(code)) return { exitCode: Number(code) };
  const failure = status?.message ?? body;
  if (NOT_THERE.test(failure)) return { exitCode: 127, failure };
  if (NOT_EXECUTABLE.test(failure)) return { exitCode: 126, failure };
  return { failure };
}

// runc's and crun's words for ENOENT and EACCES; they give no code.
const NOT_THERE = /executable file (?:`.*` )?not found|no such file or directory/i;
const NOT_EXECUTABLE = /permission denied|exec format error|is a directory/i;
