import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ToolRun {
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
}

export interface ToolResult {
  /** null: ended by a signal. */
  readonly exitCode: number | null;
  readonly stdout: string;
  /** The last lines of stderr. */
  readonly lastLines: readonly string[];
}

const PASSED_ON = ['PATH', 'HOME', 'http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
const KEPT_LINES = 60;

/** Runs a program to its end with nothing of Berth's environment but paths and proxies, in English. Throws only when it cannot be started or was aborted. */
export async function runTool(command: readonly [string, ...string[]], run: ToolRun): Promise<ToolResult> {
  const [program, ...args] = command;
  const child = spawn(program, args, { env: { ...toolEnvironment(), ...run.env }, stdio: ['ignore', 'pipe', 'pipe'], signal: run.signal });
  const stdout: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  const lastLines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (lastLines.push(line) > KEPT_LINES) lastLines.shift();
    run.onLine?.(line);
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    // An abort is answered at once by "error"; what follows must wait until the program has cleaned up behind itself.
    let failure: Error | undefined;
    child.on('error', (error) => {
      failure = error;
      if (child.pid === undefined) reject(error);
    });
    child.on('close', (code) => (failure === undefined ? resolve(code) : reject(failure)));
  });
  return { exitCode, stdout: Buffer.concat(stdout).toString(), lastLines };
}

function toolEnvironment(): Record<string, string> {
  const environment: Record<string, string> = { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  for (const name of PASSED_ON) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  // Debian's tools for administrators are not on every user's path.
  environment['PATH'] = `${environment['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
  return environment;
}
