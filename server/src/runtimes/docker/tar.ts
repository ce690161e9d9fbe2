import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { extract, pack } from 'tar-stream';

export interface TarEntry {
  readonly name: string;
  readonly mode: number;
  readonly type?: 'file' | 'directory';
  readonly uid?: number;
  readonly gid?: number;
  readonly content?: string | Buffer;
}

/** A small archive, whole. */
export function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry(header, content ?? '');
  tar.finalize();
  return buffer(Readable.from(tar));
}

/** The regular files of an archive, one after the other, as one text; empty where the archive is larger than that, which is not read on. */
export async function textOfTar(archive: NodeJS.ReadableStream, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop destroys it.
  for await (const piece of archive) {
    const data = Buffer.from(piece);
    bytes += data.length;
    if (bytes > mostBytes) return '';
    pieces.push(data);
  }
  const entries = extract();
  entries.end(Buffer.concat(pieces));
  const parts: Buffer[] = [];
  for await (const entry of entries) {
    for await (const part of entry) if (Buffer.isBuffer(part)) parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
