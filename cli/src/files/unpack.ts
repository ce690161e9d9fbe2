import { Readable } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import type { Place } from './place.ts';
import { safeNames } from './safe-names.ts';

export interface Unpacked {
  readonly files: number;
  readonly bytes: number;
  /** Links, devices and the like, which are not made here. */
  readonly leftOut: readonly string[];
}

/** A tar archive that is not trusted: files and folders, below one folder, and nothing else. */
export async function unpack(archive: AsyncIterable<Uint8Array>, place: Place): Promise<Unpacked> {
  await place.enter([]);
  // Listened to at once: an entry that nobody hears of is waited for by everybody.
  const entries = extract();
  const source = Readable.from(archive, { objectMode: false });
  source.on('error', (error: Error) => entries.destroy(error));
  source.pipe(entries);
  const leftOut: string[] = [];
  let [files, bytes] = [0, 0];
  try {
    for await (const entry of entries) {
      const size = await take(entry.header, entry as AsyncIterable<Uint8Array>, place);
      if (size === 'left-out') leftOut.push(entry.header.name);
      else if (size !== 'folder') [files, bytes] = [files + 1, bytes + size];
      entry.resume();
    }
  } finally {
    source.destroy();
  }
  return { files, bytes, leftOut };
}

async function take(header: Header, content: AsyncIterable<Uint8Array>, place: Place): Promise<number | 'folder' | 'left-out'> {
  const { type, name, mode, linkname } = header;
  const names = safeNames(name);
  if (type === 'directory') {
    await place.enter(names);
    return 'folder';
  }
  if (names.length === 0) return 'left-out';
  if (type === 'link') return place.copy(safeNames(linkname), names);
  if (type !== 'file' && type !== 'contiguous-file') return 'left-out';
  return place.write(names, content, (mode & 0o111) !== 0);
}
