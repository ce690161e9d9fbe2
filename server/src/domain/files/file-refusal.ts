import { ProblemError, type ProblemCode } from '@berth/contract';

/** Why a file cannot be had or written: what the scripts inside a container say (inside/files/), and what is seen from outside. */
export const FILE_REFUSALS = {
  absent: ['not-found', 'there is no such file or folder in the work folder: `berth session files` lists what there is'],
  outside: ['invalid-field', 'leads out of the work folder by a symbolic link: only what lies in it can be reached'],
  folder: ['invalid-field', 'is a folder: give the name that the file is to have in it'],
  'not-folder': ['invalid-field', 'is no folder, or leads through something that is none'],
  special: ['invalid-field', 'is neither a file nor a folder (a device, a pipe or a socket)'],
  unreadable: ['forbidden', "may not be read by the session's user"],
  unwritable: ['wrong-state', "cannot be written by the session's user"],
  'no-work-folder': ['wrong-state', 'cannot be reached: the folder it is to lie in is gone'],
  incomplete: ['bad-request', 'did not arrive whole, and nothing was changed: send it again'],
  lacks: ['wrong-state', "cannot be reached: the session's image lacks a program that this takes"],
  changed: ['wrong-state', 'changed while it was read: try again'],
  'too-large': ['too-large', 'is larger than what is transferred at once: mount a storage for it'],
  'too-slow': ['wrong-state', 'took too long, and was given up: try again, or mount a storage for it'],
  interrupted: ['wrong-state', 'could not be dealt with: the process inside the session ended early. Try again'],
} as const satisfies Record<string, readonly [ProblemCode, string]>;
export type FileRefusalKind = keyof typeof FILE_REFUSALS;

export class FileRefusal extends ProblemError {
  readonly kind: FileRefusalKind;

  /** `more`: what a program said of it, or the name of one that is missing. */
  constructor(kind: FileRefusalKind, path: string, more = '') {
    const [code, words] = FILE_REFUSALS[kind];
    super(code, `"${path}": ${words}${more === '' ? '' : ` (${more})`}`, { field: 'path' });
    this.kind = kind;
  }
}

export const isRefusalKind = (word: string): word is FileRefusalKind => Object.hasOwn(FILE_REFUSALS, word);
