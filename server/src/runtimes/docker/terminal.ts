import { once } from 'node:events';
import { PassThrough, type Duplex } from 'node:stream';
import type { Terminal } from '../runtime.ts';
import { demultiplex } from './demultiplex.ts';
import { EngineRefusal } from './errors.ts';

interface Line {
  readonly socket: Duplex;
  readonly tty: boolean;
  readonly resize: Terminal['resize'];
  /** Called once the connection has ended, however it ended. */
  readonly exitCode: (isClosed: () => boolean) => Promise<number | undefined>;
  /** Called when the client closes before the process has ended. */
  readonly hangUp?: () => void;
}

/** A hijacked connection of the engine as three streams. */
export function terminalOf(line: Line): Terminal {
  const { socket } = line;
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  let closed = false;
  const ended = pump(line, { stdout, stderr });
  const exited = ended.then(() => (closed ? undefined : line.exitCode(() => closed)));
  // Whoever is interested awaits it; nobody being so must not end the server.
  exited.catch(() => undefined);
  return {
    stdin: socket,
    stdout,
    stderr,
    exited,
    resize: (size) => line.resize(size),
    close() {
      if (!closed && !socket.destroyed) line.hangUp?.();
      closed = true;
      socket.destroy();
    },
  };
}

async function pump(line: Line, out: Record<'stdout' | 'stderr', PassThrough>): Promise<void> {
  try {
    for await (const { stream, data } of demultiplex(line.socket, line.tty)) {
      if (!out[stream].write(data)) await Promise.race([once(out[stream], 'drain'), once(out[stream], 'close')]);
    }
  } catch {
    // A broken connection is an ended one: what became of the process is asked of the engine, not of the socket.
  }
  out.stdout.end();
  out.stderr.end();
}

/** Too late is not wrong: the process has ended. Podman answers 201, which dockerode takes for a failure. */
export async function resized(resize: () => Promise<unknown>): Promise<void> {
  try {
    await resize();
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
  }
}
