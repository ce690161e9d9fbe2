import type { ContainerInspectInfo } from 'dockerode';
import { overlap } from '../../domain/sessions/overlap.ts';
import type { LogChunk, Terminal } from '../runtime.ts';
import { attachTo } from './attach-session.ts';
import type { EngineClient } from './engine-client.ts';

const KEPT_BYTES = 64 * 1024;
type Stream = LogChunk['stream'];
type Tails = Record<Stream, Buffer>;
interface Listening {
  readonly tails: Tails;
  /** Undefined while it is being attached. */
  terminal: Terminal | undefined;
}

/**
 * Engines write a container's log line by line: a prompt is not in it until its line ends. Where there is a terminal, Berth
 * listens from before the start and remembers the last bytes, so that who attaches later misses none.
 */
export class Consoles {
  readonly #engine: EngineClient;
  readonly #heard = new Map<string, Listening>();

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Listens until its process ends; already listening is success. */
  async attend(container: ContainerInspectInfo): Promise<void> {
    if (!container.Config.Tty || this.#heard.has(container.Id)) return;
    const listening: Listening = { tails: emptyTails(), terminal: undefined };
    this.#heard.set(container.Id, listening);
    try {
      const terminal = await attachTo(this.#engine, container, { stdin: false });
      if (this.#heard.get(container.Id) !== listening) return terminal.close();
      listening.terminal = terminal;
      for (const stream of ['stdout', 'stderr'] as const) {
        terminal[stream].on('data', (data: Buffer) => remember(listening.tails, { stream, data }));
      }
      void terminal.exited.finally(() => this.#forget(container.Id, listening));
    } catch (error) {
      this.#forget(container.Id, listening);
      throw error;
    }
  }

  /** One that was never started would be listened to for ever. */
  leave(id: string): void {
    const listening = this.#heard.get(id);
    this.#heard.delete(id);
    listening?.terminal?.close();
  }

  close(): void {
    for (const id of this.#heard.keys()) this.leave(id);
  }

  /** What the log says, and after it what it does not say yet. */
  async *complete(container: ContainerInspectInfo, log: AsyncIterable<LogChunk>): AsyncGenerator<LogChunk> {
    const said = emptyTails();
    for await (const chunk of log) {
      remember(said, chunk);
      yield chunk;
    }
    const heard = this.#heard.get(container.Id)?.tails;
    if (heard === undefined) return;
    for (const stream of ['stdout', 'stderr'] as const) {
      const data = heard[stream].subarray(overlap(said[stream], heard[stream]));
      if (data.length > 0) yield { stream, data };
    }
  }

  #forget(id: string, listening: Listening): void {
    if (this.#heard.get(id) === listening) this.#heard.delete(id);
  }
}

const emptyTails = (): Tails => ({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });

function remember(tails: Tails, { stream, data }: LogChunk): void {
  tails[stream] = Buffer.concat([tails[stream], data]).subarray(-KEPT_BYTES);
}
