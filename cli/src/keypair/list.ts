import type { Keypair } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { printItems } from '../output/print-items.ts';
import { age } from '../output/words.ts';

interface ListOptions {
  readonly user?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

export const define: Define = (command, run) => {
  command
    .option('--user <user>', 'of another user, or "*" for those of all (administrators)')
    .option('--limit <n>', 'at most so many, up to 200')
    .option('--cursor <cursor>', 'go on where the last list ended')
    .addHelpText('after', "\nWhich key pairs are still used, as an administrator:\n  berth keypair list --user '*'")
    .action((options: ListOptions) => run((context) => listKeypairs(options, context)));
};

export async function listKeypairs(options: ListOptions, context: Context): Promise<number> {
  const { client } = await context.connect();
  const page = await client.listKeypairs({ query: { ...options } });
  const now = context.io.now();
  const ago = (instant: string | null): string => (instant === null ? 'never' : `${age(instant, now)} ago`);
  const columns = [
    { title: 'ACCESS KEY', of: (keypair: Keypair) => keypair.accessKey },
    { title: 'NAME', of: (keypair: Keypair) => keypair.name || '-' },
    { title: 'USER', of: (keypair: Keypair) => keypair.user },
    { title: 'STATUS', of: (keypair: Keypair) => (keypair.revokedAt === null ? 'valid' : 'revoked') },
    { title: 'CREATED', of: (keypair: Keypair) => ago(keypair.createdAt) },
    { title: 'LAST USED', of: (keypair: Keypair) => ago(keypair.lastUsedAt) },
  ];
  printItems(context, page, { columns, none: 'No key pairs. Make one with: berth keypair create NAME' });
  return 0;
}
