import type { Io } from '../io.ts';
import { plainText } from './plain-text.ts';

const PLAIN_EVERY_MS = 5_000;

/** Lines that stay, and one that is rewritten in place on a terminal. Elsewhere progress is a plain line now and then. */
export class StatusLine {
  private readonly io: Pick<Io, 'stderr' | 'now'>;
  private shown = '';
  private plainAt = -Infinity;

  constructor(io: Pick<Io, 'stderr' | 'now'>) {
    this.io = io;
  }

  say(line: string): void {
    this.clear();
    this.io.stderr.write(`${line}\n`);
  }

  progress(text: string): void {
    const line = plainText(text);
    if (line === this.shown) return;
    if (!this.io.stderr.isTTY) return this.plain(line);
    const width = (this.io.stderr.columns ?? 80) - 1;
    const fitting = line.length > width ? `${line.slice(0, width - 1)}…` : line;
    this.io.stderr.write(`\r\x1b[K${fitting}`);
    this.shown = line;
  }

  clear(): void {
    if (this.shown !== '' && this.io.stderr.isTTY) this.io.stderr.write('\r\x1b[K');
    this.shown = '';
  }

  private plain(line: string): void {
    const now = this.io.now().getTime();
    if (now - this.plainAt < PLAIN_EVERY_MS) return;
    this.plainAt = now;
    this.shown = line;
    this.io.stderr.write(`${line}\n`);
  }
}
