import type { Context, Define } from '../command.ts';
import { printItems } from '../output/print-items.ts';
import { sessionColumns } from './session-columns.ts';

interface ListOptions {
  readonly all?: true;
  readonly state?: string;
  readonly owner?: string;
  readonly project?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

export const define: Define = (command, run) => {
  command
    .option('-a, --all', 'ended ones too')
    .option('--state <states>', 'only these, separated by commas: pending, running, paused, error, ...')
    .option('--owner <user>', 'only those of this user')
    .option('--project <project>', 'only those of this project')
    .option('--limit <n>', 'at most so many, up to 200')
    .option('--cursor <cursor>', 'go on where the last list ended')
    .action((options: ListOptions) => run((context) => listSessions(options, context)));
};

export async function listSessions(options: ListOptions, context: Context): Promise<number> {
  const { client } = await context.connect();
  const page = await client.listSessions({ query: { ...options, all: String(options.all ?? false) } });
  const none = options.all
    ? 'No sessions. Start one with: berth session create'
    : 'No sessions (ended ones: --all). Start one with: berth session create';
  printItems(context, page, { columns: sessionColumns(page.items, context.io.now()), none });
  return 0;
}
