import type { Readable } from 'node:stream';
import type { Session } from '../sessions/session.ts';
import type { Entries } from './folder-entries.ts';
import type { WorkPath } from './work-path.ts';

/** A file, or a folder as a tar archive, on its way out. Reading `content` to its end or destroying it ends the matter. */
export type Found =
  | { readonly kind: 'file'; readonly size: number; readonly executable: boolean; readonly modifiedAt: Date; readonly content: Readable }
  | { readonly kind: 'folder'; readonly content: Readable };

export interface Reading {
  readonly path: WorkPath;
  /** Of a folder, what the names in the archive begin with: nothing, or its own name. */
  readonly naming: 'inner' | 'named';
  readonly signal: AbortSignal;
}

export interface Writing {
  readonly path: WorkPath;
  readonly content: AsyncIterable<Buffer>;
  readonly executable: boolean;
  readonly signal: AbortSignal;
}

/**
 * The files in a running session's work folder and its storages, as its own user sees them. What symbolic links lead out of it is refused, even
 * while the code in the session changes them. Throws FileRefusal for what cannot be done, RuntimeError where the engine fails.
 */
export interface SessionFiles {
  /** `content` fails where it ends early: a file that has shrunk, an archive that tar could not finish. */
  read(session: Session, reading: Reading): Promise<Found>;
  /**
   * All or nothing, whatever breaks. Missing folders are made; a file of that name is replaced, a link too, not what it
   * leads to. Answers the size in bytes. An error of `content` is thrown on.
   */
  write(session: Session, writing: Writing): Promise<number>;
  list(session: Session, path: WorkPath, signal: AbortSignal): Promise<Entries>;
}
