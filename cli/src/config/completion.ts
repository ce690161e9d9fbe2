import { Argument, Command } from 'commander';
import type { CommandModule, Context, Define } from '../command.ts';
import { completionScript, SHELLS, type Completed, type Shell } from './completion-script.ts';

export const define: Define = (command, run) => {
  command
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      '\nbash: source <(berth completion bash)\nzsh:  source <(berth completion zsh)\nfish: berth completion fish | source',
    )
    .action((shell: Shell) => run((context) => showCompletion(shell, context)));
};

export async function showCompletion(shell: Shell, { io, json }: Context): Promise<number> {
  const script = completionScript(shell, await everyCommand());
  io.stdout.write(json ? `${JSON.stringify({ shell, script })}\n` : script);
  return 0;
}

async function everyCommand(): Promise<Completed[]> {
  const { COMMANDS } = await import('../command-table.ts');
  const all = Object.entries(COMMANDS).map(async ([name, entry]): Promise<Completed[]> => {
    if ('load' in entry) return [await completed([name], entry)];
    const verbs = await Promise.all(Object.entries(entry.verbs).map(([verb, one]) => completed([name, verb], one)));
    return [{ path: [name], summary: entry.summary, options: [], takesSession: false }, ...verbs];
  });
  return (await Promise.all(all)).flat();
}

async function completed(path: readonly string[], verb: { summary: string; load: () => Promise<CommandModule> }): Promise<Completed> {
  const command = new Command();
  (await verb.load()).define(command, async () => undefined);
  return {
    path,
    summary: verb.summary,
    options: command.options.flatMap(({ long }) => (long ? [long] : [])),
    takesSession: command.registeredArguments[0]?.name() === 'session',
  };
}
