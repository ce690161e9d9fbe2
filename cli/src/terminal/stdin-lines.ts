import type { Input } from '../io.ts';

/** The lines of stdin, each taken when it is asked for: what nobody asks for stays there for others. */
export class StdinLines {
  readonly #stdin: Input;
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(stdin: Input) {
    this.#stdin = stdin;
  }

  /** Without its end; undefined when there is none any more. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf('\n');
      if (end >= 0) return this.#taken(end, end + 1);
      const more = await this.#more();
      if (more === undefined) return this.#rest === '' ? undefined : this.#taken(this.#rest.length, this.#rest.length);
      this.#rest += more;
    }
  }

  #taken(end: number, after: number): string {
    const line = this.#rest.slice(0, end).replace(/\r$/, '');
    this.#rest = this.#rest.slice(after);
    return line;
  }

  #more(): Promise<string | undefined> {
    const stdin = this.#stdin;
    if (stdin.readableEnded || stdin.destroyed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const settle = (more: string | undefined): void => {
        stdin.off('data', onData).off('end', onEnd).off('error', onEnd).pause();
        resolve(more);
      };
      const onData = (data: Buffer): void => settle(this.#decoder.decode(data, { stream: true }));
      const onEnd = (): void => settle(undefined);
      stdin.on('data', onData).on('end', onEnd).on('error', onEnd).resume();
    });
  }
}
