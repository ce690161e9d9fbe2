import { ProblemError } from '@berth/contract';
import type { BatchCommands } from './run.ts';

export interface BatchOptions {
  readonly clean?: string | null | undefined;
  readonly build?: string | null | undefined;
  readonly exec?: string | null | undefined;
}

/** What "*" stands for. */
const USUAL: Readonly<Record<keyof BatchCommands, string>> = {
  clean: 'if [ -f Makefile ]; then make clean; fi',
  build: 'if [ -f Makefile ]; then make; fi',
  exec: `if [ -f main.py ]; then python3 main.py
elif [ -f main.sh ]; then sh main.sh
elif [ -x main ]; then ./main
else echo 'there is no main.py, main.sh or main to run here' >&2; exit 127
fi`,
};

/** The shell commands of a batch: "*" is the usual one, nothing leaves a step out. */
export function batchCommands(options: BatchOptions): BatchCommands {
  const commands = { clean: command('clean', options), build: command('build', options), exec: command('exec', options) };
  if (Object.values(commands).some((text) => text !== null)) return commands;
  throw new ProblemError(
    'invalid-field',
    'options: a batch runs at least one of "clean", "build" and "exec": give a shell command, or "*" for the usual one',
    {
      field: 'options',
    },
  );
}

function command(step: keyof BatchCommands, options: BatchOptions): string | null {
  const text = options[step] ?? '';
  if (text === '*') return USUAL[step];
  return text.trim() === '' ? null : text;
}
