import { CHANNEL, ProblemError } from '@berth/contract';
import { z } from 'zod';
import { containerOf } from '../domain/sessions/container-plan.ts';
import type { Session } from '../domain/sessions/session.ts';
import { RuntimeError, type ExecRequest, type Runtime, type Terminal } from '../runtimes/runtime.ts';
import { check } from './check.ts';
import type { ProcessClient } from './process-client.ts';
import { Latest } from './latest.ts';
import { LiveOutput } from './live-output.ts';
import { exitCodeOfCause } from './session-words.ts';
import type { Size } from './terminal-size.ts';
import { TypedInput } from './typed-input.ts';

const Command = z
  .array(
    z
      .string()
      .max(131_072)
      .refine((text) => !text.includes('\0'), 'an argument holds no NUL'),
  )
  .max(1024);

/** `text`: a JSON array of arguments; empty means a login shell. */
export function parseCommand(text: string): readonly string[] {
  try {
    return check(z.object({ command: Command }), { command: text === '' ? [] : (JSON.parse(text) as unknown) }).command;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ProblemError('invalid-field', 'command is not a JSON array of arguments, such as ["ls","-l"]', { field: 'command' });
  }
}

export function refuseUnlessRunning(session: Session): void {
  if (session.state === 'running') return;
  const remedy = session.state === 'paused' ? 'resume it first' : 'a process can be added to a running session only';
  throw new ProblemError('wrong-state', `${session.name} is ${session.state} (${session.reason}): ${remedy}`);
}

interface RunExec {
  readonly session: Session;
  /** Without it main1. */
  readonly container?: string;
  readonly exec: ExecRequest;
}

/** One more process in the session, with a client on it; its end does not touch the session. */
export async function runExec(runtime: Runtime, socket: ProcessClient, { session, container, exec }: RunExec): Promise<void> {
  const input = new TypedInput(socket);
  let terminal: Terminal | undefined;
  // A process that has just ended has no size any more: nothing is lost when this fails.
  const sizes = new Latest<Size>(async (size) => terminal?.resize(size).catch(() => undefined));
  socket.receive({
    stdin: (data) => input.write(data),
    stdinEnd: () => input.end(),
    resize: (size) => void sizes.ask(size),
  });
  try {
    terminal = await runtime.exec(containerOf(session, container), exec);
  } catch (error) {
    return await refuse(socket, error);
  }
  const live = new LiveOutput(terminal);
  try {
    await live.continueAfter([], socket.gone);
    input.connect(terminal.stdin);
    for await (const { stream, data } of live.chunks(socket.gone)) await socket.send(CHANNEL[stream], data);
    if (!socket.gone.aborted) await end(socket, (await terminal.exited) ?? 1);
  } finally {
    input.disconnect();
    terminal.close();
  }
}

async function end(socket: ProcessClient, code: number): Promise<void> {
  await socket.control({ type: 'exit', code, message: `ended with exit code ${code}`, cause: null });
  socket.close(1000, 'ended');
}

/** A command that cannot be started is an answer as a shell would give it; anything else is a problem. */
async function refuse(socket: ProcessClient, error: unknown): Promise<void> {
  if (!(error instanceof RuntimeError)) throw error;
  const { code, message } = error.failure;
  if (code !== 'command-not-found' && code !== 'not-executable' && code !== 'no-shell') throw error;
  await socket.control({ type: 'exit', code: exitCodeOfCause(code), message, cause: error.failure });
  socket.close(1000, 'ended');
}
