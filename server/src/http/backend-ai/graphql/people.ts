import type { User } from '../../../domain/users/user-store.ts';
import type { Surface } from '../call.ts';
import { newestAccessKey } from '../newest-access-key.ts';
import type { SignedCaller } from '../signature-check.ts';

export interface Person {
  readonly user: User;
  /** Sessions belong to people, not to key pairs: the one that asks, or else the newest of hers, stands for her. */
  readonly accessKey: string;
}

/** Whose things a query shows: each looked up once. */
export class People {
  readonly #surface: Surface;
  readonly #known: Map<string, Promise<Person>>;

  constructor(surface: Surface, { user, accessKey }: SignedCaller) {
    this.#surface = surface;
    this.#known = new Map([[user.id, Promise.resolve({ user, accessKey })]]);
  }

  get(id: string): Promise<Person> {
    const person = this.#known.get(id) ?? this.#look(id);
    this.#known.set(id, person);
    return person;
  }

  async #look(id: string): Promise<Person> {
    const user = await this.#surface.parts.users.find(id);
    if (user === undefined) throw new Error(`user ${id} is not there`);
    return { user, accessKey: await newestAccessKey(this.#surface, id) };
  }
}
