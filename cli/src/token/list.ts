import type { Token } from '@berth/contract';
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
    .action((options: ListOptions) => run((context) => listTokens(options, context)));
};

export async function listTokens(options: ListOptions, context: Context): Promise<number> {
  const { client } = await context.connect();
  const page = await client.listTokens({ query: { ...options } });
  const now = context.io.now();
  const ago = (instant: string | null): string => (instant === null ? 'never' : `${age(instant, now)} ago`);
  const columns = [
    { title: 'ID', of: (token: Token) => token.id },
    { title: 'NAME', of: (token: Token) => token.name },
    { title: 'USER', of: (token: Token) => token.user },
    { title: 'BEGINS WITH', of: (token: Token) => token.prefix },
    { title: 'STATUS', of: (token: Token) => statusOf(token, now) },
    { title: 'CREATED', of: (token: Token) => ago(token.createdAt) },
    { title: 'LAST USED', of: (token: Token) => ago(token.lastUsedAt) },
  ];
  printItems(context, page, { columns, none: 'No tokens. Make one with: berth token create NAME' });
  return 0;
}

function statusOf({ revokedAt, expiresAt }: Token, now: Date): string {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt === null) return 'valid';
  return Date.parse(expiresAt) <= now.getTime() ? 'expired' : `valid until ${expiresAt.slice(0, 10)}`;
}
