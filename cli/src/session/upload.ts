import { formatBytes } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { planUploads } from '../files/plan-uploads.ts';
import { sendFile } from '../files/send-file.ts';
import { plainText } from '../output/plain-text.ts';
import { StatusLine } from '../output/status-line.ts';

interface UploadOptions {
  readonly to: string;
}

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .argument('<files...>', 'files of this machine, and folders with all that is in them')
    .option('--to <folder>', "where, in the session's work folder; made if it is missing", '.')
    .addHelpText('after', '\nFiles of the same names are replaced. For example:\n  berth session upload train data.csv src --to project')
    .action((session: string, files: string[], { to }: UploadOptions) => run((context) => uploadFiles({ session, files, to }, context)));
};

interface Wish {
  readonly session: string;
  readonly files: readonly string[];
  readonly to: string;
}

export async function uploadFiles({ session, files, to }: Wish, context: Context): Promise<number> {
  const { io, json, quiet } = context;
  const { uploads, leftOut } = await planUploads(files, to);
  const connection = await context.connect();
  const line = new StatusLine(io);
  const items: { file: string; path: string; size: number }[] = [];
  for (const file of leftOut) line.say(`Left out, since it is a link or no file: ${plainText(file)}`);
  try {
    for (const upload of uploads) {
      const onProgress = (sent: number): void => line.progress(`${upload.path}: ${formatBytes(sent)} of ${formatBytes(upload.size)}`);
      const { path, size } = await sendFile(connection, { session, upload, onProgress });
      items.push({ file: upload.file, path, size });
      line.clear();
      if (!json) io.stdout.write(`${plainText(quiet ? path : `${upload.file} -> ${path} (${formatBytes(size)})`)}\n`);
    }
  } finally {
    line.clear();
  }
  if (json) io.stdout.write(`${JSON.stringify({ items, leftOut })}\n`);
  return 0;
}
