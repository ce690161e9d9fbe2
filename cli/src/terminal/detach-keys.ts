import { Failure } from '../failure.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

const CTRL = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/** "ctrl-p,ctrl-q", "a,ctrl-]": keys separated by commas, each one character or ctrl- and one of a-z @ [ \ ] ^ _. "" turns it off. */
export function parseDetachKeys(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(',').map((key) => {
    const byte = keyByte(key);
    if (byte !== undefined) return byte;
    throw new Failure(
      'usage',
      `"${key}" in --detach-keys "${text}" is not a key: write ctrl- and a letter, or one character, such as ${DEFAULT_DETACH_KEYS}`,
    );
  });
}

function keyByte(key: string): number | undefined {
  const control = /^ctrl-(.)$/i.exec(key)?.[1];
  if (control !== undefined) {
    const at = CTRL.indexOf(control.toLowerCase());
    return at < 0 ? undefined : at;
  }
  return /^[\x21-\x7e]$/.test(key) ? key.charCodeAt(0) : undefined;
}

/** Finds the sequence in what is typed. A beginning of it is held back until it is clear that it is not the sequence. */
export class DetachKeys {
  private readonly sequence: readonly number[];
  private held: number[] = [];

  constructor(sequence: readonly number[]) {
    this.sequence = sequence;
  }

  /** What is to be passed on, and whether the sequence is complete; what follows it in `typed` is dropped. */
  push(typed: Uint8Array): { pass: Buffer; detached: boolean } {
    const pass: number[] = [];
    for (const byte of typed) {
      this.held.push(byte);
      while (this.held.length > 0 && !this.isBeginning()) pass.push(...this.held.splice(0, 1));
      if (this.held.length > 0 && this.held.length === this.sequence.length) {
        this.held = [];
        return { pass: Buffer.from(pass), detached: true };
      }
    }
    return { pass: Buffer.from(pass), detached: false };
  }

  private isBeginning(): boolean {
    return this.held.length <= this.sequence.length && this.held.every((byte, at) => byte === this.sequence[at]);
  }
}
