import type { Page, PageRequest, User } from './user-store.ts';

/** Signs requests without a bearer token. It acts as its user, with all her rights. */
export interface Keypair {
  readonly id: string;
  readonly accessKey: string;
  readonly userId: string;
  readonly userName: string;
  /** What it is for; may be empty. */
  readonly name: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface NewKeypair {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** With what is needed to check a signature, which is why the secret cannot be kept as a hash. */
export interface FoundKeypair {
  readonly keypair: Keypair;
  readonly user: User;
  /** Opened when it is read. ProblemError not-signed-in where it was encrypted with another key than this server's. */
  readonly secretKey: string;
}

export interface KeypairStore {
  /** Keeps the secret encrypted. */
  create(keypair: NewKeypair): Promise<Keypair>;
  /** Newest first; everybody's for null. */
  list(userId: string | null, page: PageRequest): Promise<Page<Keypair>>;
  /** Also revoked ones and those of disabled users, so that the answer can say which. */
  find(accessKey: string): Promise<FoundKeypair | undefined>;
  /** By id or access key, of this owner, or of anybody for null. Repeating is success. */
  revoke(ownerId: string | null, idOrAccessKey: string, now: Date): Promise<Keypair | undefined>;
  /** May be called for every request: it is written down once a minute. */
  used(id: string, at: Date): Promise<void>;
}
