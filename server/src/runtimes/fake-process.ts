import { EventEmitter } from 'node:events';
import type { FakeFiles } from './fake-files.ts';
import type { LogChunk } from './runtime.ts';

/**
 * A handful of programs, enough to tell whether streams, exit codes and storages come through: echo, cat, cat FILE, sleep, true,
 * false, sh -c "exit N", sh -c "echo WORD >FILE".
 */
export class FakeProcess {
  readonly #events = new EventEmitter();
  readonly exited: Promise<number>;
  readonly #program: string;
  readonly #files: FakeFiles;
  #alive = true;

  constructor(command: readonly string[], files: FakeFiles) {
    const [program = 'sh', ...args] = command;
    this.#program = program;
    this.#files = files;
    this.exited = new Promise((resolve) => this.#events.once('exit', resolve));
    // Whoever started it listens first.
    setImmediate(() => this.#run(args));
  }

  output(listener: (chunk: LogChunk) => void): void {
    this.#events.on('output', listener);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** At its next output or its end. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      for (const event of ['output', 'exit']) this.#events.once(event, () => resolve());
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  write(data: Buffer): void {
    if (this.#alive && ECHOES.has(this.#program)) this.#print(data);
  }

  end(): void {
    if (ECHOES.has(this.#program)) this.kill(0);
  }

  kill(code: number): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#events.emit('exit', code);
  }

  #run(args: readonly string[]): void {
    switch (this.#program) {
      case 'echo':
        this.#print(Buffer.from(`${args.join(' ')}\n`));
        return this.kill(0);
      case 'true':
        return this.kill(0);
      case 'false':
        return this.kill(1);
      case 'sh':
        return this.#interpret(args[1] ?? '');
      case 'cat':
        return args[0] === undefined ? undefined : this.#show(args[0]);
      case 'sleep':
        return;
      default:
        return this.kill(127);
    }
  }

  #interpret(script: string): void {
    const code = /^exit (\d+)$/.exec(script)?.[1];
    if (code !== undefined) return this.kill(Number(code));
    const [, word, path] = /^echo (\S+) >(\S+)$/.exec(script) ?? [];
    if (path !== undefined) this.kill(this.#files.write(path, `${word}\n`) ? 0 : 2);
  }

  #show(path: string): void {
    const text = this.#files.read(path);
    if (text !== undefined) this.#print(Buffer.from(text));
    this.kill(text === undefined ? 1 : 0);
  }

  #print(data: Buffer): void {
    if (this.#alive) this.#events.emit('output', { stream: 'stdout', data } satisfies LogChunk);
  }
}

/** They answer what they are told, and end with their input. */
const ECHOES: ReadonlySet<string> = new Set(['cat', 'sh']);
