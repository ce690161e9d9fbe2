import { PATH_LIMITS, ProblemError } from '@berth/contract';
import type { Session } from '../sessions/session.ts';

/** Where clients of Backend.AI take the work folder to be: here another word for it. */
export const WORK_ALIAS = '/home/work';

/**
 * A place in a session's work folder: names only, none of them "." or "..", none empty. No names: the folder itself.
 * Symbolic links may still lead out of it; that is looked at inside the container, where they are.
 */
export interface WorkPath {
  readonly names: readonly string[];
  /** Relative, with slashes; "." for the folder itself. */
  readonly text: string;
}

/** Where the session's processes start: what it asked for, else its home. */
export const workFolderOf = ({ spec, ownerName }: Pick<Session, 'ownerName' | 'spec'>): string => spec.workDir ?? `/home/${ownerName}`;

/** A path as somebody wrote it. Throws ProblemError invalid-field for what does not lie in the work folder. */
export function parseWorkPath(text: string, workFolder: string): WorkPath {
  const refuse = (why: string): ProblemError => new ProblemError('invalid-field', `${shown(text)} ${why}`, { field: 'path' });
  if (text.includes('\0') || !text.isWellFormed()) throw refuse('holds a character that no path has (NUL, or half of a surrogate pair)');
  if (Buffer.byteLength(text) > PATH_LIMITS.path) throw refuse(`is longer than ${PATH_LIMITS.path} bytes`);
  const names = relativeNames(text, workFolder);
  if (names === undefined) {
    throw refuse(`is not in the work folder: give a path relative to it, or one that begins with ${workFolder} or ${WORK_ALIAS}`);
  }
  if (names.includes('..')) throw refuse('has ".." in it, which may lead out of the work folder: name the file without');
  const long = names.find((name) => Buffer.byteLength(name) > PATH_LIMITS.name);
  if (long !== undefined) throw refuse(`has a name of more than ${PATH_LIMITS.name} bytes in it`);
  return { names, text: names.join('/') || '.' };
}

/** The same for what is to be a file: a path with at least one name, and no slash behind it. */
export function parseFilePath(text: string, workFolder: string): WorkPath {
  const path = parseWorkPath(text, workFolder);
  if (path.names.length > 0 && !/(^|\/)\.?$/.test(text)) return path;
  throw new ProblemError('invalid-field', `${shown(text)} is no name of a file: end it with one`, { field: 'path' });
}

function relativeNames(text: string, workFolder: string): readonly string[] | undefined {
  const names = namesIn(text);
  if (!text.startsWith('/')) return names;
  for (const folder of [WORK_ALIAS, workFolder]) {
    const beginning = namesIn(folder);
    if (beginning.every((name, at) => names[at] === name)) return names.slice(beginning.length);
  }
  return undefined;
}

const namesIn = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');

function shown(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.length > 200 ? `${quoted.slice(0, 200)}…"` : quoted;
}
