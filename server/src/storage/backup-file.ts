import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { isErrno } from './process-identity.ts';
import { StorageRefusal } from './refusal.ts';

const UNWRITABLE = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'EISDIR', 'ENOSPC', 'EDQUOT', 'EFBIG', 'ENAMETOOLONG'];
const UNREADABLE = [
  'ENOENT',
  'EACCES',
  'EISDIR',
  'EIO',
  'Z_BUF_ERROR',
  'Z_DATA_ERROR',
  'Z_STREAM_ERROR',
  'Z_NEED_DICT',
  'ERR_ENCODING_INVALID_ENCODED_DATA',
];

/*
 * A backup is gzip over lines of JSON: a head, then for each table a line that names it and a line per row (every value as
 * PostgreSQL writes it as text), and last the number of lines before and their sha256.
 */

export interface BackupHead {
  readonly berthBackup: 1;
  readonly schema: string;
  readonly instance: string;
  readonly at: string;
  readonly secretKey: string;
  /** Named only: what they hold is not in the backup. */
  readonly storages: readonly StorageLine[];
}
interface StorageLine {
  /** As its volume is called. */
  readonly name: string;
  readonly owner: string;
  /** What its owner calls it; a home has no other name. */
  readonly called?: string;
}
export interface TableLine {
  readonly table: string;
  readonly columns: readonly string[];
}
export type RowLine = readonly (string | null)[];
interface EndLine {
  readonly lines: number;
  readonly sha256: string;
}

/** Complete at `path` with mode 0600, or not there. */
export async function writeBackup(path: string, lines: AsyncIterable<BackupHead | TableLine | RowLine>): Promise<void> {
  const unfinished = `${path}.unfinished-${process.pid}`;
  const file = await open(unfinished, 'w', 0o600).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
  try {
    await pipeline(sealed(lines), createGzip({ level: 6 }), (zipped) => file.writeFile(zipped));
    await file.sync();
    await file.close();
    await rename(unfinished, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await file.close();
    await rm(unfinished, { force: true });
    throw unwritable(path, error);
  }
}

async function* sealed(lines: AsyncIterable<unknown>): AsyncGenerator<string> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const line of lines) {
    const text = `${JSON.stringify(line)}\n`;
    hash.update(text);
    count += 1;
    yield text;
  }
  yield `${JSON.stringify({ lines: count, sha256: hash.digest('hex') } satisfies EndLine)}\n`;
}

/** The head of a file that was read to its end and found whole. Throws StorageRefusal damaged-backup. */
export async function checkBackup(path: string): Promise<BackupHead> {
  const seal = new Seal();
  let head: BackupHead | undefined;
  for await (const text of textLines(path)) {
    seal.add(text);
    head ??= parseHead(path, text);
  }
  if (head === undefined || !seal.holds()) throw damaged(path, 'its checksum does not fit');
  return head;
}

/** Tables and rows of a file that was checked. */
export async function* readBackup(path: string): AsyncGenerator<TableLine | RowLine> {
  let held: TableLine | RowLine | undefined;
  let first = true;
  for await (const text of textLines(path)) {
    // The last line is the seal, so each is handed out when the next one is there.
    if (held !== undefined) yield held;
    if (!first) held = JSON.parse(text);
    first = false;
  }
}

/** Compares every line but the last with what the last one says. */
class Seal {
  readonly #hash: Hash = createHash('sha256');
  #count = 0;
  #last: string | undefined;

  add(text: string): void {
    if (this.#last !== undefined) {
      this.#hash.update(`${this.#last}\n`);
      this.#count += 1;
    }
    this.#last = text;
  }

  holds(): boolean {
    const end = parseOr(this.#last ?? '', {}) as Partial<EndLine>;
    return end.lines === this.#count && end.sha256 === this.#hash.digest('hex');
  }
}

async function* textLines(path: string): AsyncGenerator<string> {
  const source = createReadStream(path);
  const unzipped = source.pipe(createGunzip());
  source.once('error', (error) => unzipped.destroy(error));
  try {
    yield* splitLines(unzipped);
  } catch (error) {
    if (error instanceof StorageRefusal || !isErrno(error, ...UNREADABLE)) throw error;
    throw damaged(path, error instanceof Error ? error.message : String(error), error);
  } finally {
    source.destroy();
  }
}

/** readline would also break lines at characters that JSON leaves as they are. */
async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  for await (const chunk of chunks) {
    const parts = decoder.decode(chunk, { stream: true }).split('\n');
    for (const part of parts.slice(0, -1)) {
      yield [...rest, part].join('');
      rest = [];
    }
    rest.push(parts.at(-1) ?? '');
  }
  if (rest.some((part) => part !== '')) yield rest.join('');
}

function parseHead(path: string, text: string): BackupHead {
  const head = parseOr(text, undefined) as BackupHead | undefined;
  if (head?.berthBackup !== 1) throw damaged(path, 'it does not begin as a backup of Berth does');
  return head;
}

function parseOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Damage is reported by whoever asked.
    return otherwise;
  }
}

const damaged = (path: string, why: string, cause?: unknown): StorageRefusal =>
  new StorageRefusal('damaged-backup', `${path} cannot be used as a backup of Berth: ${why}. Nothing was changed; use another backup.`, {
    cause,
  });

function unwritable(path: string, error: unknown): unknown {
  if (!isErrno(error, ...UNWRITABLE)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new StorageRefusal('unwritable-backup', `${path} cannot be written: ${reason}. Name a file in a folder that you may write to.`, {
    cause: error,
  });
}

async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}
