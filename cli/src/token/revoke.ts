import type { Context, Define } from '../command.ts';
import { printItem } from '../output/print-items.ts';

export const define: Define = (command, run) => {
  command.argument('<token>', 'its id, see berth token list').action((token: string) => run((context) => revokeToken(token, context)));
};

export async function revokeToken(id: string, context: Context): Promise<number> {
  const { client } = await context.connect();
  const token = await client.revokeToken({ params: { token: id } });
  printItem(context, token, `Revoked token ${token.name} of ${token.user}.`);
  return 0;
}
