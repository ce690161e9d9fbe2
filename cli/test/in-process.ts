import { PassThrough } from 'node:stream';
import type { Input, Io, Output } from '../src/io.ts';
import { runProgram } from '../src/program.ts';

/** A command line in this process: for what needs neither signals nor a terminal. */
export async function runInProcess(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const stdin: Input = new PassThrough();
  stdin.push(null);
  const [stdout, stderr] = [collector(), collector()];
  const io: Io = {
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env,
    now: () => new Date('2026-01-01T13:00:00Z'),
    onSignal: () => () => undefined,
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
  };
  return { code: await runProgram(args, io), stdout: stdout.text(), stderr: stderr.text() };
}

function collector(): { stream: Output; text: () => string } {
  const stream = new PassThrough();
  const parts: Buffer[] = [];
  stream.on('data', (data: Buffer) => parts.push(data));
  return { stream, text: () => Buffer.concat(parts).toString() };
}
