import type { Context, Define } from '../command.ts';
import { printItem } from '../output/print-items.ts';

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .argument('<name>', 'what to call it from now on')
    .action((session: string, name: string) => run((context) => renameSession(session, name, context)));
};

export async function renameSession(session: string, name: string, context: Context): Promise<number> {
  const { client } = await context.connect();
  const renamed = await client.renameSession({ params: { session }, body: { name } });
  printItem(context, renamed, `${session} is called ${renamed.name} now.`);
  return 0;
}
