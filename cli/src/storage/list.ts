import type { Storage } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { printItems } from '../output/print-items.ts';
import { age } from '../output/words.ts';

interface ListOptions {
  readonly owner?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

export const define: Define = (command, run) => {
  command
    .option('--owner <user>', 'of another user, or "*" for those of all (administrators)')
    .option('--limit <n>', 'at most so many, up to 200')
    .option('--cursor <cursor>', 'go on where the last list ended')
    .addHelpText('after', "\nWhose storages there are, as an administrator:\n  berth storage list --owner '*'")
    .action((options: ListOptions) => run((context) => listStorages(options, context)));
};

export async function listStorages(options: ListOptions, context: Context): Promise<number> {
  const { client } = await context.connect();
  const page = await client.listStorages({ query: { ...options } });
  const now = context.io.now();
  const columns = [
    { title: 'NAME', of: ({ name }: Storage) => name },
    { title: 'OWNER', of: ({ owner }: Storage) => owner.name },
    { title: 'STATE', of: ({ state }: Storage) => state },
    { title: 'MOUNTED BY', of: ({ mountedBy }: Storage) => mountedBy.map(({ name }) => name).join(', ') || '-' },
    { title: 'CREATED', of: ({ createdAt }: Storage) => `${age(createdAt, now)} ago` },
    { title: 'ID', of: ({ id }: Storage) => id },
  ];
  printItems(context, page, { columns, none: 'No storages. Make one with: berth storage create NAME' });
  return 0;
}
