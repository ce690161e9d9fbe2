import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';

const run = promisify(execFile);

interface ShellPlace {
  readonly workFolder: string;
  /** For what the shell says about itself. */
  readonly notes: string;
  /** All that it has, besides what bash sets. */
  readonly env: Readonly<Record<string, string>>;
}

/** A person's bash in a terminal. It notes the exit status of each line outside of the screen, where nothing can be mistaken for it. */
export class TypedShell {
  readonly #socket = `berth-${randomUUID().slice(0, 8)}`;
  readonly #place: ShellPlace;
  /** Prompts that were waited for; the first is before any line. */
  #seen = 1;

  private constructor(place: ShellPlace) {
    this.#place = place;
  }

  static async open(place: ShellPlace): Promise<TypedShell> {
    const shell = new TypedShell(place);
    await writeFile(shell.#statuses, '');
    await shell.#tmux('new-session', '-d', '-x', '180', '-y', '50', '-c', place.workFolder, 'bash --norc --noprofile');
    await shell.#tmux('pipe-pane', '-t', ':', `cat >> '${shell.transcript}'`);
    await vi.waitFor(async () => expect(await shell.#ended()).toEqual([0]), { timeout: 30_000 });
    return shell;
  }

  /** A file of all that was on its screen, as it came. */
  get transcript(): string {
    return join(this.#place.notes, 'transcript');
  }

  get #statuses(): string {
    return join(this.#place.notes, 'statuses');
  }

  /** Types a line and waits until it has ended. Throws where that is with another status than 0. */
  async line(text: string, patienceMs: number): Promise<void> {
    await this.begin(text);
    await this.back(text, patienceMs);
  }

  async begin(text: string): Promise<void> {
    await this.#tmux('send-keys', '-t', ':', '-l', text);
    await this.keys('Enter');
  }

  async keys(...names: string[]): Promise<void> {
    await this.#tmux('send-keys', '-t', ':', ...names);
  }

  /** Waits for the prompt after the line that was begun last. */
  async back(text: string, patienceMs: number): Promise<void> {
    const before = this.#seen;
    const status = async (): Promise<number | undefined> => (await this.#ended())[before];
    await expect.poll(status, { timeout: patienceMs, interval: 100, message: `${text} ends` }).toBeDefined();
    this.#seen += 1;
    const code = await status();
    if (code !== 0) throw new Error(`"${text}" ended with ${code}:\n${await this.screen()}`);
  }
  async screen(): Promise<string> {
    return (await this.#tmux('capture-pane', '-t', ':', '-p', '-S', '-200')).trimEnd();
  }

  async shows(what: RegExp): Promise<void> {
    await expect.poll(() => this.screen(), { timeout: 60_000, interval: 100 }).toMatch(what);
  }

  /** What runs in its background is hung up. */
  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined);
  }

  async #ended(): Promise<number[]> {
    return (await readFile(this.#statuses, 'utf8')).split('\n').slice(0, -1).map(Number);
  }

  async #tmux(...args: string[]): Promise<string> {
    const env = { ...this.#place.env, PROMPT_COMMAND: `echo $? >> '${this.#statuses}'` };
    return (await run('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args], { env })).stdout;
  }
}
