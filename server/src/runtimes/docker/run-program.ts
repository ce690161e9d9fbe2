import { spawn } from 'node:child_process';
import { killPoint, type KillPoint } from '../../kill-points.ts';

export interface Answer {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

/** Runs one of the machine's own tools. Code 127 where there is no such program. */
export function runProgram(point: KillPoint, command: readonly [string, ...string[]], input = ''): Promise<Answer> {
  const [program, ...args] = command;
  // Not every account that may use them has them in its PATH.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  const run = (): Promise<Answer> =>
    new Promise((resolve) => {
      const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
      let output = '';
      const collect = (data: Buffer | Error): void => {
        output += data.toString();
      };
      child.stdout.on('data', collect);
      child.stderr.on('data', collect);
      child.stdin.on('error', collect);
      child.on('error', (error) => resolve({ code: 127, output: error.message }));
      child.on('close', (code) => resolve({ code: code ?? 1, output }));
      child.stdin.end(input);
    });
  return killPoint(point, run);
}
