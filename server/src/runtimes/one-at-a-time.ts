/** For each key one piece of work at a time: who asks for it meanwhile gets the same. */
export class OneAtATime<T> {
  readonly #underWay = new Map<string, Promise<T>>();

  run(key: string, work: () => Promise<T>): Promise<T> {
    let running = this.#underWay.get(key);
    if (running === undefined) {
      running = work().finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, running);
    }
    return running;
  }
}
