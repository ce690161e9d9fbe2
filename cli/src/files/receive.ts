import { randomUUID } from 'node:crypto';
import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { problemOf, streams, urlOf } from '@berth/contract';
import type { Connection } from '../connection/connect.ts';
import { reachingFetch } from '../connection/reach.ts';
import { Failure } from '../failure.ts';
import { Place } from './place.ts';
import { unpack } from './unpack.ts';

export interface Wanted {
  readonly session: string;
  /** In its work folder. */
  readonly path: string;
  /** What it becomes on this machine. */
  readonly target: string;
  /** A file of that name is replaced; a folder of that name is added to, and files in it are replaced. */
  readonly force: boolean;
  /** Bytes so far, and of how many, where that is known. */
  readonly onProgress: (received: number, of: number | undefined) => void;
}

export interface Received {
  readonly kind: 'file' | 'folder';
  readonly bytes: number;
  readonly files: number;
  readonly leftOut: readonly string[];
}

/** A file, or a folder with all that is in it. It takes its name when it is whole; a folder that is added to does not. */
export async function receive({ url, token }: Connection, wanted: Wanted): Promise<Received> {
  const { session, path, target, force } = wanted;
  const there = await kindOf(target);
  if (there !== undefined && !force)
    throw new Failure('failed', `${target} is there already: choose another place by --to, or add --force.`);
  const address = urlOf(url, streams.downloadFile.path, { params: { session }, query: { path } });
  const response = await reachingFetch(address, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw await problemOf(response);
  const content = counted(response, { ...wanted, url });
  if (!response.headers.get('content-type')?.startsWith('application/x-tar')) {
    if (there === 'folder')
      throw new Failure('failed', `${target} is a folder, and "${path}" in the session is a file: move one of them away.`);
    const bytes = await new Place(dirname(target)).write([basename(target)], content, false);
    return { kind: 'file', bytes, files: 1, leftOut: [] };
  }
  if (there === 'file') throw new Failure('failed', `${target} is no folder, and "${path}" in the session is one: move one of them away.`);
  return { kind: 'folder', ...(there === 'folder' ? await unpack(content, new Place(target)) : await unpackBeside(content, target)) };
}

async function kindOf(target: string): Promise<'file' | 'folder' | undefined> {
  const facts = await lstat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return facts && (facts.isDirectory() ? 'folder' : 'file');
}

async function unpackBeside(content: AsyncIterable<Uint8Array>, target: string): Promise<Omit<Received, 'kind'>> {
  await mkdir(dirname(target), { recursive: true });
  const draft = join(dirname(target), `.berth-${randomUUID()}`);
  try {
    const unpacked = await unpack(content, new Place(draft));
    await rename(draft, target);
    return unpacked;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function* counted(response: Response, { path, url, onProgress }: Wanted & { url: string }): AsyncGenerator<Uint8Array> {
  const length = response.headers.get('content-length');
  const of = length === null ? undefined : Number(length);
  let received = 0;
  try {
    for await (const chunk of response.body ?? []) {
      yield chunk;
      onProgress((received += chunk.length), of);
    }
  } catch (error) {
    // What is wrong is told before the first byte; afterwards there is only one way to say it.
    if (!(error instanceof TypeError)) throw error;
    const why = `the connection to ${url} was lost, or something in "${path}" could not be read`;
    throw new Failure('connection-lost', `the download broke off: ${why}. Try again, or fetch less at once.`, { cause: error });
  }
}
