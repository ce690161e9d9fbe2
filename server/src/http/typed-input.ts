import type { Writable } from 'node:stream';

const HELD_BYTES = 1024 * 1024;

/** What a client types: held until there is a process to take it, and then never faster than it takes it. */
export class TypedInput {
  readonly #source: { pause(): void; resume(): void };
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  /** The process has more than it takes at once: the client waits. */
  #waits = false;
  #sink: Writable | undefined;

  constructor(source: { pause(): void; resume(): void }) {
    this.#source = source;
  }

  write(data: Buffer): void {
    if (this.#ended) return;
    if (this.#sink !== undefined) return this.#pass(this.#sink, data);
    this.#held.push(data);
    this.#heldBytes += data.length;
    if (this.#heldBytes > HELD_BYTES) this.#source.pause();
  }

  end(): void {
    this.#ended = true;
    this.#sink?.end();
  }

  connect(sink: Writable): void {
    this.#sink = sink;
    // The process closed its input or ended: what is typed after that has nowhere to go.
    sink.on('error', () => this.disconnect());
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#source.resume();
    for (const data of held) this.#pass(sink, data);
    if (this.#ended) sink.end();
  }

  disconnect(): void {
    this.#sink = undefined;
    this.#waits = false;
    this.#source.resume();
  }

  #pass(sink: Writable, data: Buffer): void {
    if (!sink.writable || sink.write(data) || this.#waits) return;
    this.#waits = true;
    this.#source.pause();
    sink.once('drain', () => {
      this.#waits = false;
      this.#source.resume();
    });
  }
}
