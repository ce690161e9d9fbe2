import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';

/** What a tar archive holds: text of files by their names, `(kind)` for anything else. */
export async function unpacked(archive: Readable): Promise<Record<string, string>> {
  const entries: Record<string, string> = {};
  const tar = extract();
  archive.on('error', (error) => tar.destroy(error));
  archive.pipe(tar);
  for await (const entry of tar)
    entries[entry.header.name] = entry.header.type === 'file' ? (await buffer(entry)).toString() : `(${entry.header.type})`;
  return entries;
}
