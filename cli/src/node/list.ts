import { formatBytes, type Node } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { plainText } from '../output/plain-text.ts';
import { printItems } from '../output/print-items.ts';
import { count } from '../output/words.ts';

interface ListOptions {
  readonly limit?: string;
  readonly cursor?: string;
}

export const define: Define = (command, run) => {
  command
    .option('--limit <n>', 'at most so many, up to 200')
    .option('--cursor <cursor>', 'go on where the last list ended')
    .action((options: ListOptions) => run((context) => listNodes(options, context)));
};

const COLUMNS = [
  { title: 'NAME', of: (node: Node) => node.name },
  { title: 'STATUS', of: (node: Node) => (node.status === 'ready' ? 'ready' : `unreachable: ${node.statusReason}`) },
  { title: 'CPUS FREE', of: ({ free, capacity }: Node) => `${free.cpu} of ${capacity.cpu}` },
  { title: 'MEMORY FREE', of: ({ free, capacity }: Node) => `${formatBytes(free.memoryBytes)} of ${formatBytes(capacity.memoryBytes)}` },
  { title: 'GPUS FREE', of: ({ free, capacity }: Node) => `${free.gpu} of ${capacity.gpu}` },
  { title: 'SESSIONS', of: (node: Node) => String(node.sessions) },
  { title: 'ARCHITECTURE', of: (node: Node) => node.architecture || '-' },
  { title: 'ENGINE', of: (node: Node) => node.engine },
];

export async function listNodes(options: ListOptions, context: Context): Promise<number> {
  const { client } = await context.connect();
  const page = await client.listNodes({ query: { ...options } });
  printItems(context, page, { columns: COLUMNS, none: 'No nodes.' });
  if (context.json || context.quiet) return 0;
  for (const { name, notices, quarantined } of page.items) {
    for (const notice of notices) context.io.stderr.write(`Note (${name}): ${plainText(notice)}\n`);
    if (quarantined > 0) context.io.stderr.write(`Note (${name}): ${count(quarantined, 'container')} that no session knows kept aside.\n`);
  }
  return 0;
}
