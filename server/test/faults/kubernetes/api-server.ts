import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';

/** That of a cluster which the cluster tool made; taken down and brought back as the tool itself would have started it. */
export class ApiServer {
  readonly #folder: string;
  readonly #pid: number;
  readonly #command: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(folder: string, pid: number, of: { command: readonly string[]; environment: Readonly<Record<string, string>> }) {
    this.#folder = folder;
    this.#pid = pid;
    this.#command = of.command;
    this.#environment = of.environment;
  }

  static async of(folder: string): Promise<ApiServer> {
    const pid = Number((await readFile(pidFile(folder), 'utf8')).split(' ')[0]);
    const environment = (await words(pid, 'environ')).map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]);
    return new ApiServer(folder, pid, { command: await words(pid, 'cmdline'), environment: Object.fromEntries(environment) });
  }

  async kill(): Promise<void> {
    process.kill(this.#pid, 'SIGKILL');
    await vi.waitUntil(async () => (await born(this.#pid)) === undefined, { timeout: 10_000 });
  }

  /** It hears nobody and closes nothing. */
  halt(): void {
    process.kill(this.#pid, 'SIGSTOP');
  }

  goOn(): void {
    process.kill(this.#pid, 'SIGCONT');
  }

  /** After it was killed. The tool ends the process that its file names, if it is the one that was born then. */
  async startAgain(): Promise<void> {
    const [program = '', ...args] = this.#command;
    const log = openSync(join(this.#folder, 'log/kube-apiserver.log'), 'a');
    const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], env: this.#environment });
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid ?? 0;
    await writeFile(pidFile(this.#folder), `${pid} ${await born(pid)}\n`);
  }
}

const pidFile = (folder: string): string => join(folder, 'run/kube-apiserver.pid');

const words = async (pid: number, file: 'cmdline' | 'environ'): Promise<string[]> =>
  (await readFile(`/proc/${pid}/${file}`, 'utf8')).split('\0').filter((word) => word !== '');

/** When a process was born, in the kernel's count; undefined for one that has ended. */
async function born(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === undefined || state === '' || state === 'Z' || state === 'X' ? undefined : fields[18];
}
