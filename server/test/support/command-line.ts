import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BerthProcess } from './berth-process.ts';

const BERTH = fileURLToPath(new URL('../../../cli/bin/berth.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
export interface RunOptions {
  readonly stdin?: string;
  readonly cwd?: string;
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs `berth` as a person would, signed in to this server. */
export async function berth(server: BerthProcess, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [BERTH, ...args], {
    env: { ...process.env, ...(await signedIn(server)) },
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
    options.onStderr?.(stderr, (signal) => child.kill(signal));
  });
  child.stdin.end(options.stdin ?? '');
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

export const signedIn = async (server: BerthProcess): Promise<Record<string, string>> => ({
  BERTH_URL: server.url,
  BERTH_TOKEN: await server.token(),
  BERTH_DATA: server.dataFolder,
  XDG_CONFIG_HOME: server.dataFolder,
});
