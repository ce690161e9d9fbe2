import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterAll } from 'vitest';

const LAUNCHER = join(import.meta.dirname, '..', 'bin', 'berth.js');

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** Gone when the tests of the file are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));
  folders.push(folder);
  return folder;
}

/** The environment of a person who has never used berth. */
export function freshEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const home = temporaryFolder();
  // Compiled code is kept where this user's is: a cold start for every command would test nothing but patience.
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return { PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: cache, BERTH_DATA: join(home, 'data'), TERM: 'xterm', ...more };
}

export class Berth {
  readonly child: ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable };
  readonly ended: Promise<Ran>;
  stdout = '';
  stderr = '';
  private readonly watchers = new Set<() => void>();

  constructor(command: string, args: readonly string[], options: { env: NodeJS.ProcessEnv; cwd?: string }) {
    this.child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
    this.child.stdin.on('error', () => undefined);
    this.child.stdout.setEncoding('utf8').on('data', (data: string) => this.saw('stdout', data));
    this.child.stderr.setEncoding('utf8').on('data', (data: string) => this.saw('stderr', data));
    this.ended = once(this.child, 'close').then(([code, signal]: unknown[]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  private saw(stream: 'stdout' | 'stderr', data: string): void {
    this[stream] += data;
    for (const watcher of this.watchers) watcher();
  }

  /** Resolves when what it printed so far matches; rejects when it ends without. */
  async prints(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stderr'): Promise<void> {
    const matched = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!pattern.test(this[stream])) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
    const ran = await Promise.race([matched, this.ended]);
    if (ran !== undefined && !pattern.test(ran[stream])) throw new Error(`it ended without printing ${pattern}: ${JSON.stringify(ran)}`);
  }
}

/** `berth` by the Node that runs the tests; stdin stays open until it is ended. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv): Berth {
  return new Berth(process.execPath, [LAUNCHER, ...args], { env });
}

export function run(args: readonly string[], env: NodeJS.ProcessEnv, stdin = ''): Promise<Ran> {
  const berth = start(args, env);
  berth.child.stdin.end(stdin);
  return berth.ended;
}

const TERMINAL = join(import.meta.dirname, 'terminal.py');
// Asked before HOME changes: version managers find their Python by it.
const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** `berth` on a real terminal; what it shows, stderr too, is in `stdout`. */
export class BerthOnTerminal extends Berth {
  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    super(python, [TERMINAL, process.execPath, LAUNCHER, ...args], { env });
  }

  type(keys: string): void {
    this.child.stdin.write(keys);
  }

  resize(rows: number, cols: number): void {
    this.control(`size ${rows} ${cols}`);
  }

  hangUp(): void {
    this.control('hangup');
  }

  async mode(): Promise<'raw' | 'cooked'> {
    this.stderr = '';
    this.control('mode');
    await this.prints(/mode (raw|cooked)\n/);
    return this.stderr.includes('raw') ? 'raw' : 'cooked';
  }

  private control(line: string): void {
    (this.child.stdio[3] as Writable).write(`${line}\n`);
  }
}
