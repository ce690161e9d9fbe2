import type { Io } from '../io.ts';
import { ScreenModes } from './screen-modes.ts';
import { writeOut } from './write-out.ts';

const CLEAR = Buffer.from('\x1b[H\x1b[2J');

interface Wishes {
  readonly tty: boolean;
  readonly clear: boolean;
  readonly onAttached?: () => Promise<void>;
}

/** Output on its way to the terminal or the pipe. After a reconnection what was already written is not written again. */
export class OutputRelay {
  private readonly wishes: Wishes;
  private readonly io: Io;
  private readonly modes = new ScreenModes();
  private readonly written = { stdout: 0, stderr: 0 };
  private toSkip = { stdout: 0, stderr: 0 };
  private isFirst = true;

  constructor(wishes: Wishes, io: Io) {
    this.wishes = wishes;
    this.io = io;
  }

  /** The server begins anew: a terminal's screen is redrawn, a pipe's bytes are counted off. */
  async attached(replayedBytes: number): Promise<void> {
    this.toSkip = { ...this.written };
    if (this.wishes.tty && replayedBytes > 0 && (this.wishes.clear || !this.isFirst)) await writeOut(this.io.stdout, CLEAR);
    if (this.isFirst) await this.wishes.onAttached?.();
    this.isFirst = false;
  }

  async write(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void> {
    const fresh = this.wishes.tty ? bytes : this.unseen(stream, bytes);
    if (fresh.length === 0) return;
    if (this.wishes.tty) this.modes.see(fresh);
    this.written[stream] += fresh.length;
    await writeOut(this.io[stream], fresh);
  }

  private unseen(stream: 'stdout' | 'stderr', bytes: Buffer): Buffer {
    const skipped = Math.min(this.toSkip[stream], bytes.length);
    this.toSkip[stream] -= skipped;
    return bytes.subarray(skipped);
  }

  /** Counts off everything written so far: the next bytes come from the beginning of the output. */
  startOver(): void {
    this.toSkip = { ...this.written };
  }

  note(text: string): void {
    this.io.stderr.write(this.wishes.tty ? `\r\n[berth: ${text}]\r\n` : `berth: ${text}\n`);
  }

  /** Leaves the terminal usable when a full-screen program was cut off. */
  stop(): void {
    if (this.wishes.tty && !this.io.stdout.destroyed) this.io.stdout.write(this.modes.undo());
  }
}
