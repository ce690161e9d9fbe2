import { join } from 'node:path';
import { formatBytes } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { Failure } from '../failure.ts';
import { receive } from '../files/receive.ts';
import { plainText } from '../output/plain-text.ts';
import { StatusLine } from '../output/status-line.ts';
import { count } from '../output/words.ts';

interface DownloadOptions {
  readonly to: string;
  readonly force?: true;
}

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .argument('<paths...>', 'files and folders in its work folder; "." is all of it')
    .option('--to <folder>', 'where on this machine; made if it is missing', '.')
    .option('--force', 'replace files that are there')
    .addHelpText('after', '\nLinks in folders are left out. For example:\n  berth session download train results model.pt --to run-7')
    .action((session: string, paths: string[], options: DownloadOptions) =>
      run((context) => downloadFiles({ session, paths, to: options.to, force: options.force === true }, context)),
    );
};

interface Wish {
  readonly session: string;
  readonly paths: readonly string[];
  readonly to: string;
  readonly force: boolean;
}

export async function downloadFiles({ session, paths, to, force }: Wish, context: Context): Promise<number> {
  const { io, json, quiet } = context;
  const connection = await context.connect();
  const { id, name } = await connection.client.getSession({ params: { session } });
  const line = new StatusLine(io);
  const items: object[] = [];
  try {
    for (const path of paths) {
      const target = join(to, lastName(path) ?? name);
      const onProgress = (received: number, of: number | undefined): void =>
        line.progress(`${path}: ${formatBytes(received)}${of === undefined ? '' : ` of ${formatBytes(of)}`}`);
      const { leftOut, ...received } = await receive(connection, { session: id, path, target, force, onProgress });
      items.push({ path, file: target, ...received, leftOut });
      line.clear();
      if (leftOut.length > 0) line.say(leftOutWords(leftOut));
      const what =
        received.kind === 'folder' ? `${count(received.files, 'file')}, ${formatBytes(received.bytes)}` : formatBytes(received.bytes);
      if (!json) io.stdout.write(`${plainText(quiet ? target : `${path} -> ${target} (${what})`)}\n`);
    }
  } finally {
    line.clear();
  }
  if (json) io.stdout.write(`${JSON.stringify({ items })}\n`);
  return 0;
}

/** Undefined for the work folder itself. */
function lastName(path: string): string | undefined {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (!names.includes('..')) return names.at(-1);
  throw new Failure('usage', `"${path}" has ".." in it: name what is in the work folder without.`);
}

function leftOutWords(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `Left out, since they are links or no files: ${names.slice(0, 3).map(plainText).join(', ')}${more}`;
}
