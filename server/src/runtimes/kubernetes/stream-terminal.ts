import { PassThrough, Writable } from 'node:stream';
import type { Terminal } from '../runtime.ts';
import { exitStatusOf, type ExitStatus } from './exit-status.ts';
import { FRAMED_END, framed } from './stdin-framing.ts';
import type { StreamSocket } from './stream-socket.ts';
import { written } from './written.ts';

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, size: 4 } as const;

/** `none`: what is written is dropped. `raw`: ending it tells the process nothing, unless the protocol can. */
export type StdinForm = 'none' | 'raw' | 'framed';

interface Line {
  readonly socket: StreamSocket;
  readonly stdin: StdinForm;
  /** What the cluster says of a command that could not be run comes out of it as of a shell: not where it is the connection that failed. */
  readonly showsFailure: boolean;
  /** Called when the client closes before the process has ended. */
  readonly hangUp?: () => void;
}

/** A connection to an exec or to the main process as three streams. */
export function terminalOf({ socket, stdin, showsFailure, hangUp }: Line): Terminal {
  const out = { stdout: new PassThrough(), stderr: new PassThrough() };
  let size: Buffer | undefined;
  const sendSize = async (): Promise<void> => {
    // Too late is not wrong: the process has ended.
    if (size !== undefined) await socket.send(CHANNEL.size, size).catch(() => undefined);
  };
  let closed = false;
  let ended = false;
  // A size that comes before the process is lost: again at its first sign of life.
  const exited = pump(socket, out, sendSize).then(({ exitCode, failure }) => {
    ended = true;
    if (showsFailure && failure !== undefined) out.stderr.write(`${failure}\n`);
    out.stdout.end();
    out.stderr.end();
    return closed ? undefined : exitCode;
  });
  return {
    stdin: inputOf(socket, stdin),
    stdout: out.stdout,
    stderr: out.stderr,
    exited,
    async resize({ rows, cols }) {
      size = Buffer.from(JSON.stringify({ Width: cols, Height: rows }));
      await sendSize();
    },
    close() {
      if (!closed && !ended) hangUp?.();
      closed = true;
      socket.close();
    },
  };
}

/** Resolves with how it ended, or nothing where the connection broke before that was told. Never rejects. */
async function pump(
  socket: StreamSocket,
  out: Record<'stdout' | 'stderr', PassThrough>,
  onFirst: () => Promise<void>,
): Promise<ExitStatus> {
  let status = '';
  let isFirst = true;
  try {
    for await (const { channel, data } of socket.messages()) {
      if (isFirst) void onFirst();
      isFirst = false;
      if (channel === CHANNEL.status) status += data.toString();
      const stream = channel === CHANNEL.stdout ? out.stdout : channel === CHANNEL.stderr ? out.stderr : undefined;
      if (stream !== undefined) await written(stream, data);
    }
  } catch {
    // A broken connection is an ended one: what became of the process, the status channel tells or nobody.
  }
  socket.close();
  return status === '' ? {} : exitStatusOf(status);
}

function inputOf(socket: StreamSocket, form: StdinForm): Writable {
  const send = async (data: Buffer): Promise<void> => {
    if (form !== 'none') await socket.send(CHANNEL.stdin, form === 'framed' ? framed(data) : data);
  };
  const end = async (): Promise<void> => {
    if (form === 'framed') await socket.send(CHANNEL.stdin, FRAMED_END);
    else if (form === 'raw' && socket.closesChannels) await socket.closeChannel(CHANNEL.stdin);
  };
  const stdin = new Writable({
    write: (chunk: Buffer, _encoding, done) => void send(chunk).then(() => done(), done),
    final: (done) =>
      void end().then(
        () => done(),
        () => done(),
      ),
  });
  // A process that reads no more, or is gone: its exit code is what tells.
  stdin.on('error', () => undefined);
  return stdin;
}
