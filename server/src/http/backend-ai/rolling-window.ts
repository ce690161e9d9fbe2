export const WINDOW_SECONDS = 900;

/** Counts what happened in the last 900 seconds, to the second. */
export class RollingWindow {
  /** The second and how often, oldest first. */
  readonly #seconds: [second: number, count: number][] = [];
  #total = 0;

  /** How many there are with this one. */
  add(now: Date): number {
    this.#forget(now);
    const second = Math.floor(now.getTime() / 1000);
    const last = this.#seconds.at(-1);
    // A clock that was set back counts into the newest second: nothing is lost.
    if (last !== undefined && last[0] >= second) last[1] += 1;
    else this.#seconds.push([second, 1]);
    this.#total += 1;
    return this.#total;
  }

  isEmpty(now: Date): boolean {
    this.#forget(now);
    return this.#total === 0;
  }

  #forget(now: Date): void {
    const oldest = Math.floor(now.getTime() / 1000) - WINDOW_SECONDS;
    while (this.#seconds[0] !== undefined && this.#seconds[0][0] <= oldest) this.#total -= this.#seconds.shift()?.[1] ?? 0;
  }
}
