import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface WireAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
/** `closed`: the server ended the connection without a word; `silent`: nothing came in time. */
export type Outcome = WireAnswer | 'closed' | 'silent';

const SILENCE_MS = 15_000;
/** What never ends may also have nothing to say yet. */
const ENDLESS_SILENCE_MS = 100;

/** One connection that is kept as long as the server keeps it, and on which anything can be sent, HTTP or not. */
export class Wire {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  /** What was last sent and answered on this connection. */
  before = '';

  constructor(url: string) {
    this.#port = Number(new URL(url).port);
  }

  /** `endless`: an answer that never ends is over with its head. */
  async exchange(request: Buffer, { endless }: { endless: boolean }): Promise<Outcome> {
    const socket = await this.#open();
    socket.write(request);
    const answer = await this.#answer(socket, endless);
    this.before = `${request.subarray(0, 1_000).toString('latin1')}\n-> ${typeof answer === 'string' ? answer : answer.status}`;
    const kept = typeof answer === 'object' && answer.status !== 101 && answer.headers['connection'] !== 'close' && !endless;
    if (!kept) this.close();
    return answer;
  }

  /** Sends this and goes away in the middle of it, without a word. */
  async cut(request: Buffer): Promise<void> {
    const socket = await this.#open();
    socket.write(request);
    await new Promise((resolve) => setImmediate(resolve));
    this.close();
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.before = '';
    this.#received = Buffer.alloc(0);
  }

  async #open(): Promise<Socket> {
    if (this.#socket !== undefined && !this.#socket.destroyed) return this.#socket;
    this.close();
    const socket = connect(this.#port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake?.();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#wake?.());
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    this.#socket = socket;
    return socket;
  }

  async #answer(socket: Socket, endless: boolean): Promise<Outcome> {
    let silent = false;
    const giveUp = (): void => {
      silent = true;
      this.#wake?.();
    };
    // Where the process stood still, what has come meanwhile is read first.
    const timer = setTimeout(() => setImmediate(giveUp), endless ? ENDLESS_SILENCE_MS : SILENCE_MS);
    try {
      for (;;) {
        const parsed = parseAnswer(this.#received, { ended: socket.destroyed, endless });
        if (parsed !== undefined) {
          this.#received = this.#received.subarray(parsed.taken);
          if (parsed.answer.status >= 200 || parsed.answer.status === 101) return parsed.answer;
          continue;
        }
        if (socket.destroyed) return 'closed';
        if (silent) return 'silent';
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }
}

/** undefined while it is not all there. */
function parseAnswer(
  bytes: Buffer,
  { ended, endless }: { ended: boolean; endless: boolean },
): { answer: WireAnswer; taken: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]);
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const start = headEnd + 4;
  const answer = (end: number, body: Buffer) => ({ answer: { status, headers, body: body.toString('utf8') }, taken: end });
  if (status < 200 || status === 204 || endless) return answer(start, Buffer.alloc(0));
  if (headers['content-length'] !== undefined) {
    const end = start + Number(headers['content-length']);
    return bytes.length < end ? undefined : answer(end, bytes.subarray(start, end));
  }
  if (headers['transfer-encoding'] !== 'chunked') return ended ? answer(bytes.length, bytes.subarray(start)) : undefined;
  const end = bytes.indexOf('0\r\n\r\n', start);
  return end < 0 ? undefined : answer(end + 5, bytes.subarray(start, end));
}
