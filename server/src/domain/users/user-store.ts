export interface User {
  readonly id: string;
  readonly name: string;
  readonly role: 'admin' | 'user';
  readonly domain: string;
  readonly disabled: boolean;
  readonly createdAt: Date;
}

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly userId: string;
  readonly userName: string;
  /** The first characters of the secret, to recognise it by. */
  readonly prefix: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}
export interface PageRequest {
  readonly limit: number;
  readonly cursor: string | null;
}

export interface UserStore {
  /** Also makes the user's own project. ProblemError name-taken. */
  create(user: { readonly id: string; readonly name: string; readonly role: 'admin' | 'user' }): Promise<User>;
  find(idOrName: string): Promise<User | undefined>;
  list(page: PageRequest): Promise<Page<User>>;
  setDisabled(id: string, disabled: boolean): Promise<User | undefined>;
  /** The user's own project when `text` is null; undefined when it is unknown or she is no member. */
  project(userId: string, text: string | null): Promise<{ readonly id: string; readonly name: string } | undefined>;
}

export interface TokenStore {
  /** `hash`: sha256 of the secret, hex. */
  create(token: {
    readonly id: string;
    readonly name: string;
    readonly userId: string;
    readonly prefix: string;
    readonly hash: string;
    readonly expiresAt: Date | null;
  }): Promise<Token>;
  list(userId: string, page: PageRequest): Promise<Page<Token>>;
  /** Of this owner, or of anybody for null. Repeating is success. */
  revoke(ownerId: string | null, id: string, now: Date): Promise<Token | undefined>;
  /** By hash, with its user; expired, revoked and disabled ones too, so that the answer can say which. */
  lookUp(hash: string): Promise<{ readonly token: Token; readonly user: User } | undefined>;
  /** Batched: one write for many uses. */
  used(uses: ReadonlyMap<string, Date>): Promise<void>;
}
