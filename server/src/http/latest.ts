/** One thing at a time; of what is asked meanwhile only the last. Answers when all that was asked so far is done or left out, or one failed. */
export class Latest<T> {
  readonly #work: (value: T) => Promise<void>;
  #next: { readonly value: T } | undefined;
  #working: Promise<void> | undefined;

  constructor(work: (value: T) => Promise<void>) {
    this.#work = work;
  }

  ask(value: T): Promise<void> {
    this.#next = { value };
    this.#working ??= this.#run();
    return this.#working;
  }

  async #run(): Promise<void> {
    try {
      for (let next = this.#next; next !== undefined; next = this.#next) {
        this.#next = undefined;
        await this.#work(next.value);
      }
    } finally {
      this.#working = undefined;
    }
  }
}
