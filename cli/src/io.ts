import type { Readable, Writable } from 'node:stream';

export type Input = Readable & { isTTY?: boolean; setRawMode?: (raw: boolean) => unknown };
export type Output = Writable & { isTTY?: boolean; columns?: number; rows?: number };
export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Everything a command touches of the world besides files and the server. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  /** The handler registered last has the signal until it is released. */
  onSignal(signal: Signal, handler: () => void): () => void;
  exit(code: number): void;
}

/** npm and the launcher pass on the SIGINT that the terminal already sent to everybody: one key press, up to three signals. */
const SAME_KEY_PRESS_MS = 250;

export function processIo(): Io {
  const handlers = new Map<Signal, (() => void)[]>();
  let lastInterrupt = -Infinity;

  function deliver(signal: Signal): void {
    const now = performance.now();
    if (signal === 'SIGINT' && now - lastInterrupt < SAME_KEY_PRESS_MS) return;
    if (signal === 'SIGINT') lastInterrupt = now;
    handlers.get(signal)?.at(-1)?.();
  }

  function onSignal(signal: Signal, handler: () => void): () => void {
    let stack = handlers.get(signal);
    if (stack === undefined) {
      handlers.set(signal, (stack = []));
      process.on(signal, () => deliver(signal));
    }
    const registered = stack;
    registered.push(handler);
    return () => {
      const at = registered.lastIndexOf(handler);
      if (at >= 0) registered.splice(at, 1);
    };
  }

  // Whoever read our output or looked at the terminal may leave first; commands that stream notice it by the write itself.
  for (const out of [process.stdout, process.stderr]) {
    out.on('error', (error: NodeJS.ErrnoException) => {
      if (!['EPIPE', 'EIO'].includes(error.code ?? '')) throw error;
    });
  }

  return {
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    now: () => new Date(),
    onSignal,
    exit: (code) => process.exit(code),
  };
}
