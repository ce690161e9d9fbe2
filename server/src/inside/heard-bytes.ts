const NEWLINE = 10;
const LEAST_SPACE = 4096;

/** Bytes in the order they came, taken by the line or by the number. However small they come, each is searched once and copied a few times at most. */
export class HeardBytes {
  /** Grows by doubling. What was taken is never written over. */
  #space: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Up to here there is no newline. */
  #searched = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  add(data: Buffer): void {
    if (this.#end + data.length > this.#space.length) this.#grow(data.length);
    data.copy(this.#space, this.#end);
    this.#end += data.length;
  }

  /** The next line, without its end; undefined when it is not all there. */
  line(): Buffer | undefined {
    const found = this.#space.subarray(this.#searched, this.#end).indexOf(NEWLINE);
    if (found < 0) {
      this.#searched = this.#end;
      return undefined;
    }
    const line = this.#space.subarray(this.#start, this.#searched + found);
    this.#skipTo(this.#searched + found + 1);
    return line;
  }

  /** The next so many; undefined when there are fewer. */
  take(count: number): Buffer | undefined {
    if (this.length < count) return undefined;
    const taken = this.#space.subarray(this.#start, this.#start + count);
    this.#skipTo(this.#start + count);
    return taken;
  }

  #skipTo(start: number): void {
    this.#start = start;
    this.#searched = start;
  }

  #grow(more: number): void {
    const { length } = this;
    const space = Buffer.allocUnsafe(Math.max(LEAST_SPACE, 2 * (length + more)));
    this.#space.copy(space, 0, this.#start, this.#end);
    this.#searched -= this.#start;
    this.#space = space;
    this.#start = 0;
    this.#end = length;
  }
}
