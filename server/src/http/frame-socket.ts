import { CHANNEL, ControlFromClient, ControlFromServer, decodeFrame, encodeFrame } from '@berth/contract';
import type { WebSocket } from 'ws';

const PING_MS = 20_000;
const GOODBYE_MS = 2_000;

export interface Input {
  stdin(data: Buffer): void;
  stdinEnd(): void;
  resize(size: { rows: number; cols: number }): void;
}

/** A WebSocket that speaks the frames of the contract. Sending waits for the client to take what was sent. */
export class FrameSocket {
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

  receive(input: Input): void {
    this.#ws.on('message', (data: Buffer, binary) => {
      const frame = binary ? decodeFrame(data) : undefined;
      if (frame?.channel === CHANNEL.stdin) input.stdin(frame.payload);
      else if (frame?.channel === CHANNEL.control) this.#receiveControl(frame.payload, input);
      else void this.refuse('bad-request', 'a message is one channel byte (0 input, 3 control) and its payload, in binary');
    });
  }

  /** Returns once the bytes are on their way; at once when the client is gone. */
  send(channel: 1 | 2, data: Buffer): Promise<void> {
    return this.#write(encodeFrame(channel, data));
  }

  control(message: ControlFromServer): Promise<void> {
    return this.#write(encodeFrame(CHANNEL.control, JSON.stringify(ControlFromServer.parse(message))));
  }

  async refuse(code: string, message: string): Promise<void> {
    await this.control({ type: 'problem', code, message });
    this.close(1008, code);
  }

  /** 1000: over; 1008: refused; 1011: our mistake; 1012: come again. Both halves are gone soon after, whatever the client does. */
  close(code: 1000 | 1008 | 1011 | 1012, reason: string): void {
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

  #receiveControl(payload: Buffer, input: Input): void {
    const control = ControlFromClient.safeParse(parseJson(payload));
    if (!control.success)
      void this.refuse('bad-request', 'a control message is {"type":"resize","rows":…,"cols":…} or {"type":"stdin-end"}');
    else if (control.data.type === 'resize') input.resize(control.data);
    else input.stdinEnd();
  }

  #write(frame: Buffer): Promise<void> {
    const ws = this.#ws;
    if (ws.readyState !== ws.OPEN) return Promise.resolve();
    // A failed write is followed by 'close', which is what everybody waits for.
    return new Promise((resolve) => ws.send(frame, () => resolve()));
  }

  #ping(): void {
    // A paused socket does not hear the answer.
    if (!this.#answered && !this.#ws.isPaused) return this.#ws.terminate();
    this.#answered = false;
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}
