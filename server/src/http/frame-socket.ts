import { CHANNEL, ControlFromClient, ControlFromServer, decodeFrame, encodeFrame } from '@berth/contract';
import type { CloseCode, OpenSocket } from './open-socket.ts';
import type { Input, ProcessClient } from './process-client.ts';

/** A WebSocket that speaks the frames of the contract. */
export class FrameSocket implements ProcessClient {
  readonly #socket: OpenSocket;

  constructor(socket: OpenSocket) {
    this.#socket = socket;
  }

  get gone(): AbortSignal {
    return this.#socket.gone;
  }

  receive(input: Input): void {
    this.#socket.receive((data, binary) => {
      const frame = binary ? decodeFrame(data) : undefined;
      if (frame?.channel === CHANNEL.stdin) input.stdin(frame.payload);
      else if (frame?.channel === CHANNEL.control) this.#receiveControl(frame.payload, input);
      else this.refuse('bad-request', 'a message is one channel byte (0 input, 3 control) and its payload, in binary');
    });
  }

  send(channel: 1 | 2, data: Buffer): Promise<void> {
    return this.#socket.send(encodeFrame(channel, data));
  }

  control(message: ControlFromServer): Promise<void> {
    return this.#socket.send(encodeFrame(CHANNEL.control, JSON.stringify(ControlFromServer.parse(message))));
  }

  /** At once: the words are on their way before the end, but a client that does not read them is not waited for. */
  refuse(code: string, message: string): void {
    void this.control({ type: 'problem', code, message });
    this.close(1008, code);
  }

  close(code: CloseCode, reason: string): void {
    this.#socket.close(code, reason);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #receiveControl(payload: Buffer, input: Input): void {
    const control = ControlFromClient.safeParse(parseJson(payload));
    if (!control.success) this.refuse('bad-request', 'a control message is {"type":"resize","rows":…,"cols":…} or {"type":"stdin-end"}');
    else if (control.data.type === 'resize') input.resize(control.data);
    else input.stdinEnd();
  }
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}
