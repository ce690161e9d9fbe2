import { ProblemError } from '@berth/contract';

/** A named folder that outlives sessions. What it holds is kept under its id: a name may be given to another one later. */
export interface Storage {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly projectId: string;
  readonly projectName: string;
  readonly createdAt: Date;
  /** When its deletion was asked for; it is there until nothing of it is left. */
  readonly deletedAt: Date | null;
  /** What keeps it from going; empty where nothing is known to. */
  readonly trouble: string;
  /** Live sessions that mount it, oldest first. */
  readonly mountedBy: readonly { readonly id: string; readonly name: string }[];
}

export function refuseMounted({ name, mountedBy }: Pick<Storage, 'name' | 'mountedBy'>): void {
  if (mountedBy.length === 0) return;
  const names = mountedBy.slice(0, 5).map((session) => `"${session.name}"`);
  const more = mountedBy.length - names.length;
  const sessions = `${mountedBy.length === 1 ? 'the live session' : 'the live sessions'} ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  throw new ProblemError('wrong-state', `"${name}" is mounted by ${sessions}: stop what uses it, then delete it`, { field: 'storage' });
}

export const noSuchStorage = (text: string, field = 'storage'): ProblemError =>
  new ProblemError('not-found', `you have no storage named "${text}": \`berth storage list\` shows those there are`, { field });
