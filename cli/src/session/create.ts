import type { Command } from 'commander';
import type { Context, Define } from '../command.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../terminal/detach-keys.ts';
import { createPatiently } from './create-patiently.ts';
import { createRequest, type CreateFlags } from './create-request.ts';
import { launchOptions } from './create-options.ts';
import { enterNewSession } from './enter-new-session.ts';

export interface CreateOptions extends CreateFlags {
  readonly detachKeys?: string;
}

export const define: Define = (command: Command, run) => {
  launchOptions(command)
    .usage('[options] [-- command...]')
    .option('--batch', 'a batch session: no terminal, no input')
    .option('-d, --detach', 'do not enter it, print its id; --json and --quiet imply this')
    .option('--tty', 'with a terminal, whatever stdin and stdout are')
    .option('--no-tty', 'without a terminal')
    .option('--detach-keys <keys>', 'leave without ending it', DEFAULT_DETACH_KEYS)
    .action((words: string[], flags: CreateOptions) => run((context) => createSession(words, flags, context)));
};

export async function createSession(words: readonly string[], flags: CreateOptions, context: Context): Promise<number> {
  const { io, json, quiet } = context;
  const detached = flags.detach === true || json || quiet;
  const detachKeys = parseDetachKeys(flags.detachKeys ?? DEFAULT_DETACH_KEYS);
  const request = createRequest(flags, {
    command: words,
    detached,
    stdinIsTerminal: io.stdin.isTTY === true,
    stdoutIsTerminal: io.stdout.isTTY === true,
  });
  const connection = await context.connect();
  if (!detached) return enterNewSession({ connection, request, detachKeys }, io);
  const session = await createPatiently(connection, request);
  io.stdout.write(`${json ? JSON.stringify(session) : session.id}\n`);
  if (!json && !quiet) io.stderr.write(`Session ${session.name} is starting. Enter it with: berth session attach ${session.name}\n`);
  return 0;
}
