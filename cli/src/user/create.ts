import type { Context, Define } from '../command.ts';
import { printItem } from '../output/print-items.ts';

export const define: Define = (command, run) => {
  command
    .argument('<name>')
    .option('--admin', 'an administrator')
    .action((name: string, options: { admin?: true }) => run((context) => createUser(name, options.admin === true, context)));
};

export async function createUser(name: string, isAdmin: boolean, context: Context): Promise<number> {
  const { client } = await context.connect();
  const user = await client.createUser({ body: { name, role: isAdmin ? 'admin' : 'user' } });
  printItem(context, user, `Created ${user.role} ${user.name}. Let them in with: berth token create NAME --user ${user.name}`);
  return 0;
}
