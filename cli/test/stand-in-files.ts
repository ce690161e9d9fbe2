import { FolderListing, type FileEntry } from '@berth/contract';
import type { ServerResponse } from 'node:http';

const NOW = '2026-01-01T12:00:00.000Z';

/** The work folder of every session, in memory. */
export class StandInFiles {
  readonly kept = new Map<string, Buffer>();
  /** Paths that were written as programs. */
  readonly executable = new Set<string>();
  /** Answered as an archive, whatever path is asked for. */
  archive: Buffer | undefined;
  /** After so many bytes the connection breaks. */
  breakAfter: number | undefined;

  write(query: URLSearchParams, content: Buffer): { path: string; size: number } {
    const path = query.get('path') ?? '';
    this.kept.set(path, content);
    if (query.get('executable') === 'true') this.executable.add(path);
    return { path, size: content.length };
  }

  /** False: there is no such file. */
  read(query: URLSearchParams, response: ServerResponse): boolean {
    const content = this.archive ?? this.kept.get(query.get('path') ?? '');
    if (content === undefined) return false;
    const type = this.archive === undefined ? 'application/octet-stream' : 'application/x-tar';
    response.writeHead(200, { 'content-type': type, ...(this.archive ? {} : { 'content-length': content.length }) });
    if (this.breakAfter === undefined) response.end(content);
    else response.write(content.subarray(0, this.breakAfter), () => response.destroy());
    return true;
  }

  list(query: URLSearchParams): FolderListing {
    const path = query.get('path') ?? '.';
    const files = [...this.kept].map(([name, { length }]): FileEntry => entry(name, { kind: 'file', size: length, mode: '-rw-r--r--' }));
    const folder = entry('data', { kind: 'folder', size: 4096, mode: 'drwxr-xr-x' });
    return FolderListing.parse({
      path,
      folder: `/home/ada/${path}`,
      entries: files.length === 0 ? [] : [folder, ...files],
      complete: true,
    });
  }
}

const entry = (name: string, facts: Pick<FileEntry, 'kind' | 'size' | 'mode'>): FileEntry => ({
  name,
  ...facts,
  modifiedAt: NOW,
  accessedAt: NOW,
  changedAt: NOW,
});
