import { randomBytes } from 'node:crypto';
import type { NewSession } from '../../src/domain/sessions/session-store.ts';
import type { Session, SessionSpec } from '../../src/domain/sessions/session.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** UUIDv7, in the order they are made. */
export function newId(): string {
  last = Math.max(Date.now(), last + 1);
  const hex =
    last.toString(16).padStart(12, '0') + '7' + randomBytes(2).toString('hex').slice(1) + '8' + randomBytes(8).toString('hex').slice(1);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
let last = 0;

export const SPEC: SessionSpec = {
  image: 'docker://debian',
  pull: 'missing',
  command: [],
  keepEntrypoint: false,
  tty: false,
  stdin: 'closed',
  env: {},
  cpu: 1,
  gpu: 0,
  memoryBytes: null,
  sharedMemoryBytes: null,
  node: null,
  egress: 'open',
  port: null,
  workDir: null,
  pendingTimeoutMs: null,
};

export interface Owner {
  readonly id: string;
  readonly projectId: string;
}

export async function makeOwner(storage: Storage, name = `u${randomBytes(4).toString('hex')}`): Promise<Owner> {
  const user = await storage.users.create({ id: newId(), name, role: 'user' });
  const project = await storage.users.project(user.id, null);
  if (project === undefined) throw new Error('a user has a project of her own');
  return { id: user.id, projectId: project.id };
}

export function draft(owner: Owner, changes: Partial<NewSession> = {}): NewSession {
  const id = newId();
  return {
    id,
    name: `s-${id.slice(-12)}`,
    ownerId: owner.id,
    projectId: owner.projectId,
    type: 'interactive',
    spec: SPEC,
    tag: null,
    startsAt: null,
    dependencies: [],
    batchTimeoutMs: null,
    retry: false,
    callbackUrl: null,
    clientToken: null,
    requestHash: 'h',
    ...changes,
  };
}

export async function makeSession(storage: Storage, owner: Owner, changes: Partial<NewSession> = {}): Promise<Session> {
  return (await storage.sessions.create(draft(owner, changes))).session;
}

export const GRANT = { node: 'n1', cpus: 1, memoryBytes: 1, devices: [] };

/** The next revision of it. */
export const after = (session: Session, changes: Partial<Session> = {}): Session => ({
  ...session,
  ...changes,
  revision: session.revision + 1,
});

/** Throws after a while: waiting for a condition, not for a time. */
export async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false, what: string): Promise<T> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain: ${what}`);
}
