import type { Context, Define } from '../command.ts';
import { Failure } from '../failure.ts';
import type { CreateFlags } from '../session/create-request.ts';
import { launchOptions } from '../session/create-options.ts';
import { createSession } from '../session/create.ts';

export const define: Define = (command, run) => {
  launchOptions(command)
    .usage('[options] -- command...')
    .action((words: string[], flags: CreateFlags) => run((context) => createJob(words, flags, context)));
};

export function createJob(words: readonly string[], flags: CreateFlags, context: Context): Promise<number> {
  if (words.length === 0) throw new Failure('usage', 'a job runs a command: put it behind --, as in berth job create -- python3 train.py');
  return createSession(words, { ...flags, batch: true, detach: true }, context);
}
