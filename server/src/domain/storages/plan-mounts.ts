import { MAX_MOUNTS, ProblemError } from '@berth/contract';
import type { Mount } from '../sessions/session.ts';

/** A storage that was found, and where a session wants it. */
export interface WantedMount {
  readonly storage: { readonly id: string; readonly name: string };
  readonly target?: string | undefined;
  readonly readOnly: boolean;
}

/** Below these are the system's own folders, and Berth's (/run/berth). */
const SYSTEM = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/proc',
  '/run',
  '/sbin',
  '/sys',
  '/usr',
  '/var/run',
];
/** A storage in place of one of these would hide what programs expect there. */
const TOP = ['/', '/home', '/opt', '/root', '/tmp', '/var', '/var/lib', '/var/log', '/var/tmp'];
/** What some engine or cluster cannot take in a path. */
const UNUSABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}:,"\\]/u;

/** Where each storage goes. Throws ProblemError for a place that cannot be, is taken, or lies inside another one. */
export function planMounts(wanted: readonly WantedMount[], home: string): readonly Mount[] {
  if (wanted.length > MAX_MOUNTS) throw refused(`${wanted.length} storages are too many: a session mounts at most ${MAX_MOUNTS}`);
  const mounts = wanted.map(({ storage, target = `/work/${storage.name}`, readOnly }) => {
    checkTarget(target, home);
    return { storageId: storage.id, name: storage.name, target, readOnly };
  });
  for (const [index, mount] of mounts.entries()) {
    for (const other of mounts.slice(0, index)) refuseClash(mount, other);
  }
  return mounts;
}

function checkTarget(target: string, home: string): void {
  if (!target.startsWith('/')) throw refused(`"${target}" is no absolute path: where a storage is mounted begins with "/"`);
  const unusable = UNUSABLE.exec(target)?.[0];
  if (unusable !== undefined)
    throw refused(`"${target}" holds ${JSON.stringify(unusable)}, which not every engine takes in a path: choose another folder`);
  if (
    target !== '/' &&
    target
      .slice(1)
      .split('/')
      .some((part) => part === '' || part === '.' || part === '..')
  )
    throw refused(`"${target}" is not written out: leave out empty parts, "." and ".." and the "/" at its end`);
  if (TOP.includes(target) || SYSTEM.some((folder) => isWithin(target, folder)))
    throw refused(`"${target}" is the system's: choose a folder such as /work/data`);
  if (isWithin(home, target))
    throw refused(`"${target}" would hide your home, ${home}: choose a folder inside it, or one such as /work/data`);
}

/** One inside the other would leave an empty folder in it, or could not be made where that one is read-only. */
function refuseClash(mount: Mount, other: Mount): void {
  if (mount.target === other.target) throw refused(`"${mount.name}" and "${other.name}" cannot both be mounted at ${mount.target}`);
  const [inner, outer] = isWithin(mount.target, other.target) ? [mount, other] : [other, mount];
  if (isWithin(inner.target, outer.target))
    throw refused(`"${inner.name}" at ${inner.target} would be inside "${outer.name}" at ${outer.target}: mount them side by side`);
}

/** The same, or below it. */
const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

const refused = (detail: string): ProblemError => new ProblemError('invalid-field', detail, { field: 'mounts' });
