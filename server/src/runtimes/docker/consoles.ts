import type { ContainerInspectInfo } from 'dockerode';
import { overlap } from '../../domain/sessions/overlap.ts';
import type { LogChunk } from '../runtime.ts';
import { attachTo } from './attach-session.ts';
import type { EngineClient } from './engine-client.ts';

const KEPT_BYTES = 64 * 1024;
type Stream = LogChunk['stream'];
type Tails = Record<Stream, Buffer>;

/**
 * Engines write a container's log line by line: a prompt is not in it until its line ends. Where somebody may type, Berth
 * listens from before the start and remembers the last bytes, so that who attaches later misses none.
 */
export class Consoles {
  readonly #engine: EngineClient;
  readonly #heard = new Map<string, Tails>();

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Listens until its process ends; already listening is success. */
  async attend(container: ContainerInspectInfo): Promise<void> {
    if (!container.Config.OpenStdin || this.#heard.has(container.Id)) return;
    const tails = emptyTails();
    this.#heard.set(container.Id, tails);
    try {
      const terminal = await attachTo(this.#engine, container, { stdin: false });
      for (const stream of ['stdout', 'stderr'] as const) terminal[stream].on('data', (data: Buffer) => remember(tails, { stream, data }));
      void terminal.exited.finally(() => this.#forget(container.Id, tails));
    } catch (error) {
      this.#forget(container.Id, tails);
      throw error;
    }
  }

  /** What the log says, and after it what it does not say yet. */
  async *complete(container: ContainerInspectInfo, log: AsyncIterable<LogChunk>): AsyncGenerator<LogChunk> {
    const said = emptyTails();
    for await (const chunk of log) {
      remember(said, chunk);
      yield chunk;
    }
    const heard = this.#heard.get(container.Id);
    if (heard === undefined) return;
    for (const stream of ['stdout', 'stderr'] as const) {
      const data = heard[stream].subarray(overlap(said[stream], heard[stream]));
      if (data.length > 0) yield { stream, data };
    }
  }

  #forget(id: string, tails: Tails): void {
    if (this.#heard.get(id) === tails) this.#heard.delete(id);
  }
}

const emptyTails = (): Tails => ({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });

function remember(tails: Tails, { stream, data }: LogChunk): void {
  tails[stream] = Buffer.concat([tails[stream], data]).subarray(-KEPT_BYTES);
}
