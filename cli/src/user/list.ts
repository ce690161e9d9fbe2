import type { User } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { printItems } from '../output/print-items.ts';
import { age } from '../output/words.ts';

interface ListOptions {
  readonly limit?: string;
  readonly cursor?: string;
}

export const define: Define = (command, run) => {
  command
    .option('--limit <n>', 'at most so many, up to 200')
    .option('--cursor <cursor>', 'go on where the last list ended')
    .action((options: ListOptions) => run((context) => listUsers(options, context)));
};

export async function listUsers(options: ListOptions, context: Context): Promise<number> {
  const { client } = await context.connect();
  const page = await client.listUsers({ query: { ...options } });
  const columns = [
    { title: 'NAME', of: (user: User) => user.name },
    { title: 'ROLE', of: (user: User) => user.role },
    { title: 'STATUS', of: (user: User) => (user.disabled ? 'disabled' : 'enabled') },
    { title: 'DOMAIN', of: (user: User) => user.domain },
    { title: 'AGE', of: (user: User) => age(user.createdAt, context.io.now()) },
  ];
  printItems(context, page, { columns, none: 'No users.' });
  return 0;
}
