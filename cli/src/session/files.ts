import { formatBytes } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { plainText } from '../output/plain-text.ts';
import { printTable } from '../output/table.ts';
import { age } from '../output/words.ts';

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .argument('[path]', 'a folder in its work folder', '.')
    .action((session: string, path: string) => run((context) => listFiles(session, path, context)));
};

const SIGNS = { folder: '/', link: '@', file: '', other: '' } as const;

export async function listFiles(session: string, path: string, context: Context): Promise<number> {
  const { io, json, quiet } = context;
  const { client } = await context.connect();
  const listing = await client.listFiles({ params: { session }, query: { path } });
  const { entries, folder, complete } = listing;
  if (json) {
    io.stdout.write(`${JSON.stringify(listing)}\n`);
    return 0;
  }
  if (quiet) {
    for (const { name } of entries) io.stdout.write(`${plainText(name)}\n`);
  } else if (entries.length === 0) {
    io.stderr.write(`${plainText(folder)} is empty.\n`);
  } else {
    const rows = entries.map(({ name, kind, mode, size, modifiedAt }) => [
      mode,
      kind === 'file' ? formatBytes(size) : '-',
      `${age(modifiedAt, io.now())} ago`,
      `${name}${SIGNS[kind]}`,
    ]);
    printTable(['MODE', 'SIZE', 'CHANGED', 'NAME'], rows, io.stdout);
  }
  if (!complete) io.stderr.write(`There are more: these are the first ${entries.length}.\n`);
  return 0;
}
