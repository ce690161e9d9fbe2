import type { WebSocket } from 'ws';

const PING_MS = 20_000;
const GOODBYE_MS = 2_000;

/** 1000: over; 1008: refused; 1011: our mistake; 1012: come again. */
export type CloseCode = 1000 | 1008 | 1011 | 1012;

/** A WebSocket that notices when nobody is there any more. Sending waits for the client to take what was sent. */
export class OpenSocket {
  readonly #ws: WebSocket;
  readonly #gone = new AbortController();
  readonly #pinger: NodeJS.Timeout;
  #answered = true;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    this.#pinger = setInterval(() => this.#ping(), PING_MS).unref();
    ws.on('pong', () => {
      this.#answered = true;
    });
    ws.once('close', () => {
      clearInterval(this.#pinger);
      this.#gone.abort();
    });
    ws.on('error', () => ws.terminate());
  }

  /** Fires when the client is gone, or was told to go. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** What comes before somebody listens is lost: call it before waiting for anything. So is what comes after the client was told to go. */
  receive(listener: (data: Buffer, binary: boolean) => void): void {
    this.#ws.on('message', (data: Buffer, binary) => {
      if (!this.#gone.signal.aborted) listener(data, binary);
    });
  }

  /** A message of bytes, or of text. Returns once it is on its way; at once when the client is gone. */
  send(message: Buffer | string): Promise<void> {
    const ws = this.#ws;
    if (ws.readyState !== ws.OPEN) return Promise.resolve();
    // A failed write is followed by 'close', which is what everybody waits for.
    return new Promise((resolve) => ws.send(message, () => resolve()));
  }

  /** Both halves are gone soon after, whatever the client does. */
  close(code: CloseCode, reason: string): void {
    this.#ws.resume();
    this.#ws.close(code, reason);
    setTimeout(() => this.#ws.terminate(), GOODBYE_MS).unref();
    this.#gone.abort();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  #ping(): void {
    // A paused socket does not hear the answer.
    if (!this.#answered && !this.#ws.isPaused) return this.#ws.terminate();
    this.#answered = false;
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }
}
