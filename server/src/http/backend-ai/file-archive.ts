import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { Found } from '../../domain/files/session-files.ts';

/** What was found as a tar archive in which it has this name; a folder is one already. */
export function archiveOf(found: Found, name: string): Readable {
  if (found.kind === 'folder') return found.content;
  const { size, executable, modifiedAt, content } = found;
  const tar = pack();
  const entry = tar.entry({ name, size, mode: executable ? 0o755 : 0o644, mtime: modifiedAt }, (error) => {
    if (error == null) tar.finalize();
  });
  content.on('error', (error: Error) => tar.destroy(error));
  content.pipe(entry);
  return Readable.from(tar, { objectMode: false }).once('close', () => content.destroy());
}

const HEAD = 'Content-Type: application/x-tar\r\nContent-Encoding: identity\r\n\r\n';

/** Several bodies in one, as multipart/mixed. They are read one after the other. */
export function mixed(bodies: readonly Readable[], boundary: string): Readable {
  async function* parts(): AsyncGenerator<Buffer> {
    for (const body of bodies) {
      yield Buffer.from(`--${boundary}\r\n${HEAD}`);
      yield* body as AsyncIterable<Buffer>;
      yield Buffer.from('\r\n');
    }
    yield Buffer.from(`--${boundary}--\r\n`);
  }
  return Readable.from(parts(), { objectMode: false }).once('close', () => {
    for (const body of bodies) body.destroy();
  });
}
