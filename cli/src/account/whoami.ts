import type { Context, Define } from '../command.ts';
import { printItem } from '../output/print-items.ts';

export const define: Define = (command, run) => {
  command.action(() => run(whoami));
};

export async function whoami(context: Context): Promise<number> {
  const { client, url } = await context.connect();
  const me = await client.getMe();
  printItem(context, me, `${me.name} (${me.role}) at ${url}`);
  return 0;
}
