import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { BerthProcess } from './berth-process.ts';
import { signedIn } from './command-line.ts';

const run = promisify(execFile);
const BERTH = fileURLToPath(new URL('../../../cli/bin/berth.js', import.meta.url));

/** A person's terminal: `berth` runs in it, keys are typed into it, its screen is read. */
export class Tmux {
  private readonly socket = `berth-${randomUUID().slice(0, 8)}`;

  static async run(server: BerthProcess, args: readonly string[], size = { cols: 100, rows: 24 }): Promise<Tmux> {
    const terminal = new Tmux();
    const environment = Object.entries(await signedIn(server)).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const command = [process.execPath, BERTH, ...args].map((word) => `'${word}'`).join(' ');
    await terminal.tmux(
      'new-session',
      '-d',
      '-x',
      `${size.cols}`,
      '-y',
      `${size.rows}`,
      ...environment,
      `${command}; echo "left with $?"; sleep 600`,
    );
    return terminal;
  }

  async type(...keys: string[]): Promise<void> {
    await this.tmux('send-keys', ...keys);
  }

  async resize(cols: number, rows: number): Promise<void> {
    await this.tmux('resize-window', '-x', `${cols}`, '-y', `${rows}`);
  }

  async screen(): Promise<string> {
    return (await this.tmux('capture-pane', '-p')).trimEnd();
  }

  async shows(what: string | RegExp): Promise<void> {
    await expect.poll(() => this.screen(), { timeout: 30_000, interval: 100 }).toMatch(what);
  }

  async close(): Promise<void> {
    await this.tmux('kill-server').catch(() => undefined);
  }

  private async tmux(...args: string[]): Promise<string> {
    return (await run('tmux', ['-L', this.socket, ...args])).stdout;
  }
}
