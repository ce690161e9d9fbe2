import type { Context, Define } from '../command.ts';
import { printItem } from '../output/print-items.ts';

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .action((session: string) => run((context) => interruptSession(session, context)));
};

/** Whatever code goes on in it; there being none is as good. */
export async function interruptSession(session: string, context: Context): Promise<number> {
  const { client } = await context.connect();
  const found = await client.interruptSession({ params: { session }, body: {} });
  printItem(context, found, `What ran in ${found.name} is interrupted.`);
  return 0;
}
