import type { Printed } from '../domain/execution/console.ts';
import { NoAnswer } from './conversation.ts';
import { REFUSALS, type RunRefusal } from './refused-run.ts';

/** The first line of what run.sh answers. */
export interface ShellAnswer {
  readonly status: 'continued' | 'finished' | 'lost' | 'done' | RunRefusal;
  readonly exitCode: number | null;
  /** Bytes of each stream that follow. */
  readonly stdout: number;
  readonly stderr: number;
}

const STATUSES = ['continued', 'finished', 'lost', 'done', ...REFUSALS] as const;

/** Throws NoAnswer for anything else, or more of it than was asked for. */
export function parseShellAnswer(line: string, limit: number): ShellAnswer {
  const [word, code, stdout, stderr] = line.split(' ');
  const status = STATUSES.find((known) => known === word);
  const [output, errors] = [stdout, stderr].map((count) => (/^\d{1,9}$/.test(count ?? '') ? Number(count) : -1));
  if (
    status === undefined ||
    output === undefined ||
    errors === undefined ||
    Math.min(output, errors) < 0 ||
    Math.max(output, errors) > limit
  ) {
    throw new NoAnswer(undefined, 'what should run its code says something else');
  }
  return { status, exitCode: /^\d{1,3}$/.test(code ?? '') ? Number(code) : null, stdout: output, stderr: errors };
}

/** How many of the bytes are characters to their end; the rest is the beginning of one. */
export function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

export const printedBy = (stdout: Buffer, stderr: Buffer): readonly Printed[] => [
  { stream: 'stdout', text: stdout.toString('utf8') },
  { stream: 'stderr', text: stderr.toString('utf8') },
];
