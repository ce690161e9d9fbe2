import { PATH_LIMITS, ProblemError } from '@berth/contract';
import type { Session } from '../sessions/session.ts';
import { homeFolder, storagesIn } from '../storages/session-mounts.ts';

/** Where clients of Backend.AI take the work folder to be, and have storages mounted: here another word for it. */
const WORK_ALIAS = '/home/work';

/**
 * A place in a session's work folder or in one of its storages: names only, none of them "." or "..", none empty. No names: the
 * folder itself. Symbolic links may still lead out of it; that is looked at inside the container, where they are.
 */
export interface WorkPath {
  /** Where a storage is mounted; null: the work folder. */
  readonly root: string | null;
  readonly names: readonly string[];
  /** As people write it: relative to the work folder, which is ".", or absolute in a storage. */
  readonly text: string;
}

type Placed = Pick<Session, 'ownerName' | 'spec'>;

/** Where the session's processes start: what it asked for, else its home. */
export const workFolderOf = ({ spec, ownerName }: Placed): string => spec.workDir ?? homeFolder(ownerName);

/** A path as somebody wrote it. Throws ProblemError invalid-field for what does not lie in the work folder or a storage. */
export function parseWorkPath(text: string, session: Placed): WorkPath {
  const refuse = (why: string): ProblemError => new ProblemError('invalid-field', `${shown(text)} ${why}`, { field: 'path' });
  if (text.includes('\0') || !text.isWellFormed()) throw refuse('holds a character that no path has (NUL, or half of a surrogate pair)');
  if (Buffer.byteLength(text) > PATH_LIMITS.path) throw refuse(`is longer than ${PATH_LIMITS.path} bytes`);
  const names = namesIn(text);
  if (names.includes('..')) throw refuse('has ".." in it, which may lead out of the work folder: name the file without');
  if (names.some((name) => Buffer.byteLength(name) > PATH_LIMITS.name))
    throw refuse(`has a name of more than ${PATH_LIMITS.name} bytes in it`);
  const place = inStorage(text, session) ?? inWorkFolder(text, session);
  if (place !== undefined) return place;
  const folder = workFolderOf(session);
  throw refuse(
    `is not in the work folder or a storage: give a path relative to the work folder, or one that begins with ${folder} or ${WORK_ALIAS}`,
  );
}

/** The same for what is to be a file: a path with at least one name, and no slash behind it. */
export function parseFilePath(text: string, session: Placed): WorkPath {
  const path = parseWorkPath(text, session);
  if (path.names.length > 0 && !/(^|\/)\.?$/.test(text)) return path;
  throw new ProblemError('invalid-field', `${shown(text)} is no name of a file: end it with one`, { field: 'path' });
}

/** Where it is in the container. */
export const placeOf = ({ root, names }: Pick<WorkPath, 'root' | 'names'>, session: Placed): string =>
  `/${[...namesIn(root ?? workFolderOf(session)), ...names].join('/')}`;

function inStorage(text: string, session: Placed): WorkPath | undefined {
  const wanted = namesIn(text.startsWith('/') ? text : `${WORK_ALIAS}/${text}`);
  for (const { target } of storagesIn(session.spec)) {
    const names = below(target, wanted);
    if (names !== undefined) return { root: target, names, text: [target, ...names].join('/') };
  }
  return undefined;
}

function inWorkFolder(asked: string, session: Placed): WorkPath | undefined {
  const wanted = namesIn(asked);
  const names = asked.startsWith('/') ? (below(WORK_ALIAS, wanted) ?? below(workFolderOf(session), wanted)) : wanted;
  if (names === undefined) return undefined;
  const relative = names.join('/') || '.';
  // Written relatively it would mean the storage of that name.
  const text = inStorage(relative, session) === undefined ? relative : placeOf({ root: null, names }, session);
  return { root: null, names, text };
}

const namesIn = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');

/** What is left of the names behind those of the folder. */
function below(folder: string, names: readonly string[]): readonly string[] | undefined {
  const beginning = namesIn(folder);
  return beginning.every((name, at) => names[at] === name) ? names.slice(beginning.length) : undefined;
}

function shown(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.length > 200 ? `${quoted.slice(0, 200)}…"` : quoted;
}
