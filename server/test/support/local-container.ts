import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  RuntimeError,
  type ContainerPhase,
  type ContainerRef,
  type ExecRequest,
  type Observed,
  type Runtime,
  type Terminal,
} from '../../src/runtimes/runtime.ts';
import { LocalShell } from './local-shell.ts';

/** A container as far as exec goes: real processes of this machine, with folders of their own, that are ended all at once. */
export class LocalContainer implements Pick<Runtime, 'exec' | 'inspect'> {
  /** Where its processes start. */
  readonly work: string;
  /** What the engine says of it. */
  phase: ContainerPhase = 'running';
  readonly #folder: string;
  readonly #mark: string;
  readonly #hasPython: boolean;
  readonly #shell: LocalShell;

  private constructor(folder: string, hasPython: boolean) {
    this.#folder = folder;
    this.#hasPython = hasPython;
    this.#mark = `BERTH_TEST_CONTAINER=${randomUUID()}`;
    this.work = join(folder, 'work');
    const [name = '', value = ''] = this.#mark.split('=');
    this.#shell = new LocalShell(this.work, {
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: this.work, TMPDIR: join(folder, 'tmp'), [name]: value },
    });
  }

  static async make({ python = true }: { python?: boolean } = {}): Promise<LocalContainer> {
    const folder = await mkdtemp(join(tmpdir(), 'inside-'));
    const container = new LocalContainer(folder, python);
    for (const name of ['work', 'tmp']) await mkdir(join(folder, name));
    return container;
  }

  exec(ref: ContainerRef, request: ExecRequest): Promise<Terminal> {
    const missing = request.command[0] === 'python3' && !this.#hasPython;
    return this.#shell.exec(ref, missing ? { ...request, command: ['sh', '-c', 'exit 127'] } : request);
  }

  async inspect(ref: ContainerRef): Promise<Observed> {
    return { ref, phase: this.phase };
  }

  /** An engine that has this container and nothing else. */
  asRuntime(): Runtime {
    const engine: Partial<Runtime> = {
      kind: 'fake',
      orchestrates: false,
      logsApart: true,
      inspect: (ref) => this.inspect(ref),
      exec: (ref, request) => this.exec(ref, request),
      async *logs() {},
      ensureImage: async ({ reference }) => {
        throw new RuntimeError('fatal', { code: 'image-not-found', message: `there is no image "${reference}"`, remedy: 'Pull it.' });
      },
    };
    return engine as Runtime;
  }

  /** Kills what runs in it, as the end of its main process would. */
  async stop(): Promise<void> {
    for (const pid of await this.#processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #processes(): Promise<readonly number[]> {
    const found: number[] = [];
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      // One that has just ended has none any more.
      const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
      if (environment.split('\0').includes(this.#mark)) found.push(Number(name));
    }
    return found;
  }
}
