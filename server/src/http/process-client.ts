import type { ControlFromServer } from '@berth/contract';
import type { CloseCode } from './open-socket.ts';

export interface Input {
  stdin(data: Buffer): void;
  stdinEnd(): void;
  resize(size: { rows: number; cols: number }): void;
}

/** Somebody at a process: what she types comes in, what it prints goes out, in whichever frames her client speaks. */
export interface ProcessClient {
  /** Fires when she is gone, or was told to go. */
  readonly gone: AbortSignal;
  /** What comes before is lost: call it before waiting for anything. */
  receive(input: Input): void;
  /** Channel 1 is stdout, 2 stderr. Returns once the bytes are on their way; at once when she is gone. */
  send(channel: 1 | 2, data: Buffer): Promise<void>;
  control(message: ControlFromServer): Promise<void>;
  close(code: CloseCode, reason: string): void;
  /** Takes no more of what she types, until `resume`. */
  pause(): void;
  resume(): void;
}
