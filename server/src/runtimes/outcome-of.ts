import { setTimeout as delay } from 'node:timers/promises';
import type { Terminal } from './runtime.ts';

interface Limits {
  readonly withinMs: number;
  /** Of standard output. */
  readonly mostBytes: number;
  /** Told so far: whether the rest, and the end, need not be waited for. */
  readonly isEnough?: (told: string) => boolean;
}

export interface Outcome {
  /** Its standard output. */
  readonly told: string;
  /** Undefined also where its end was not waited for. */
  readonly exitCode: number | undefined;
}

/**
 * What a short command says that runs in a container, by a shell that may be anybody's: so its time and its output are limited.
 * Undefined beyond them. Its terminal is closed in any case, also one that connects too late.
 */
export async function outcomeOf(connecting: Terminal | Promise<Terminal>, limits: Limits): Promise<Outcome | undefined> {
  const connected = Promise.resolve(connecting);
  const patience = new AbortController();
  const late = delay(limits.withinMs, undefined, { signal: patience.signal }).catch(() => undefined);
  try {
    return await Promise.race([connected.then((terminal) => listen(terminal, limits)), late]);
  } finally {
    patience.abort();
    connected.then(
      (terminal) => terminal.close(),
      () => undefined,
    );
  }
}

async function listen(terminal: Terminal, { mostBytes, isEnough = () => false }: Limits): Promise<Outcome | undefined> {
  terminal.stdin.end();
  terminal.stderr.resume();
  let bytes = Buffer.alloc(0);
  for await (const piece of terminal.stdout) {
    bytes = Buffer.concat([bytes, Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece))]);
    if (bytes.length > mostBytes) return undefined;
    if (isEnough(bytes.toString())) return { told: bytes.toString(), exitCode: undefined };
  }
  return { told: bytes.toString(), exitCode: await terminal.exited };
}
