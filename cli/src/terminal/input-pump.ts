import type { Io } from '../io.ts';
import { DetachKeys } from './detach-keys.ts';
import type { Link } from './link.ts';
import { rawMode } from './raw-mode.ts';
import type { Ending } from './stay-attached.ts';
import { terminalSize } from './terminal-size.ts';

const CTRL_C = 0x03;

interface Wishes {
  readonly tty: boolean;
  readonly input: boolean;
  readonly detachKeys: readonly number[];
}

/** Keys or piped bytes on their way in. Reading begins with the first attachment and survives the links it feeds. */
export class InputPump {
  /** Settles when the input itself ends the attachment. */
  readonly ended: Promise<Ending>;
  private readonly settle: (ending: Ending) => void;
  private readonly wishes: Wishes;
  private readonly io: Io;
  private readonly keys: DetachKeys;
  private readonly stopped = new AbortController();
  private link: Link | undefined;
  private restore: () => void = () => undefined;
  private state: 'before' | 'reading' | 'delivered' | 'dropped' = 'before';
  private sentBytes = 0;

  constructor(wishes: Wishes, io: Io) {
    this.wishes = wishes;
    this.io = io;
    this.keys = new DetachKeys(wishes.detachKeys);
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.settle = resolve;
  }

  linkAttached(link: Link): void {
    this.link = link;
    if (this.wishes.tty) this.sendSize();
    if (this.state !== 'before') return;
    this.state = 'reading';
    if (this.wishes.tty) this.takeTerminal();
    if (this.wishes.input) void this.read();
    else if (!this.wishes.tty) this.state = 'delivered';
  }

  /** 'cut': part of a piped input was sent and the rest can no longer be. */
  linkLost(): 'fine' | 'cut' {
    this.link = undefined;
    if (this.wishes.tty || this.state !== 'reading') return 'fine';
    this.state = 'dropped';
    return this.sentBytes > 0 ? 'cut' : 'fine';
  }

  stop(): void {
    this.stopped.abort();
    this.io.stdout.off('resize', this.sendSize);
    this.restore();
    this.io.stdin.pause();
  }

  private takeTerminal(): void {
    this.restore = rawMode(this.io.stdin);
    this.io.stdout.on('resize', this.sendSize);
  }

  private readonly sendSize = (): void => {
    const size = terminalSize(this.io.stdout);
    if (size !== undefined) void this.link?.sendControl({ type: 'resize', ...size });
  };

  private async read(): Promise<void> {
    try {
      for await (const chunk of this.io.stdin.iterator({ destroyOnReturn: false })) {
        if (this.stopped.signal.aborted) return;
        const bytes = Buffer.from(chunk as Uint8Array);
        if (this.wishes.tty ? await this.type(bytes) : await this.feed(bytes)) return;
      }
    } catch (error) {
      // EIO: the terminal behind stdin is gone, which is an end of input as any other.
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
    if (this.stopped.signal.aborted) return;
    if (this.wishes.tty) return this.settle({ kind: 'hang-up' });
    if (this.state === 'reading') {
      this.state = 'delivered';
      await this.link?.sendControl({ type: 'stdin-end' });
    }
  }

  /** Keys; true when they asked to leave. */
  private async type(bytes: Buffer): Promise<boolean> {
    const { pass, detached } = this.keys.push(bytes);
    if (pass.length > 0) await this.link?.sendInput(pass);
    const gaveUp = this.link === undefined && pass.includes(CTRL_C);
    if (detached || gaveUp) this.settle({ kind: 'detached' });
    return detached || gaveUp;
  }

  /** Piped bytes; true when there is nobody left to feed. */
  private async feed(bytes: Buffer): Promise<boolean> {
    if (this.state === 'dropped') {
      this.settle({ kind: 'input-cut' });
      return true;
    }
    this.sentBytes += bytes.length;
    await this.link?.sendInput(bytes);
    return false;
  }
}
