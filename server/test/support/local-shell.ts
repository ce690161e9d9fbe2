import { spawn } from 'node:child_process';
import type { ContainerRef, ExecRequest, Runtime, Terminal } from '../../src/runtimes/runtime.ts';

/** As an engine runs more processes in a container, but on this machine: in one folder, by one shell, with real programs. */
export class LocalShell implements Pick<Runtime, 'exec'> {
  readonly #folder: string;
  readonly #shell: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #user: { readonly uid?: number; readonly gid?: number };
  /** So many run now. */
  running = 0;

  /** `shell` stands for /bin/sh. */
  constructor(
    folder: string,
    { shell = ['/bin/sh'], env = process.env, uid }: { shell?: readonly string[]; env?: NodeJS.ProcessEnv; uid?: number | undefined } = {},
  ) {
    this.#folder = folder;
    this.#shell = shell;
    this.#env = env;
    this.#user = uid === undefined ? {} : { uid, gid: uid };
  }

  async exec(_ref: ContainerRef, { command }: ExecRequest): Promise<Terminal> {
    const [program = '', ...args] = command[0] === '/bin/sh' ? [...this.#shell, ...command.slice(1)] : command;
    const child = spawn(program, args, { cwd: this.#folder, env: this.#env, stdio: 'pipe', ...this.#user });
    this.running += 1;
    const exited = new Promise<number | undefined>((resolve) => {
      // As an engine says it of a program that is not there.
      child.once('error', () => resolve(127));
      child.once('close', (code) => resolve(code ?? undefined));
    }).finally(() => (this.running -= 1));
    return {
      stdin: child.stdin,
      stdout: child.stdout,
      stderr: child.stderr,
      exited,
      resize: async () => undefined,
      close() {
        child.kill('SIGHUP');
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      },
    };
  }
}
