import { ProblemError } from '@berth/contract';
import { sql } from 'kysely';
import type { Page, PageRequest, User, UserStore } from '../domain/users/user-store.ts';
import { killPoint } from '../kill-points.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import type { Database } from './database.ts';
import { violatedUnique } from './unavailable.ts';
import { isUuid } from './uuid.ts';

const USER = ['id', 'name', 'role', 'domain', 'disabled', 'created_at as createdAt'] as const;

export class PostgresUserStore implements UserStore {
  readonly #db: Database;
  readonly #rightsChanged: () => void;

  /** `rightsChanged`: what was remembered of whom may do what is no longer so. */
  constructor(db: Database, rightsChanged: () => void) {
    this.#db = db;
    this.#rightsChanged = rightsChanged;
  }

  create(user: { readonly id: string; readonly name: string; readonly role: 'admin' | 'user' }): Promise<User> {
    return killPoint('store.user', async () => {
      const { rows } = await sql<User>`
        with made as (
          insert into users (id, name, role) values (${user.id}, ${user.name}, ${user.role})
          returning id, name, role, domain, disabled, created_at as "createdAt"
        ), own as (
          insert into projects (domain, name, personal_of) select domain, name, id from made returning id, personal_of
        ), member as (
          insert into memberships (project_id, user_id, role) select id, personal_of, 'owner' from own
        )
        select * from made`
        .execute(this.#db)
        .catch((error: unknown) => {
          throw violatedUnique(error) === undefined ? error : nameTaken(user.name, error);
        });
      const [made] = rows;
      if (made === undefined) throw new Error(`user ${user.name} was not inserted`);
      return made;
    });
  }

  find(idOrName: string): Promise<User | undefined> {
    const key = isUuid(idOrName) ? 'id' : 'name';
    return this.#db.selectFrom('users').select(USER).where(key, '=', idOrName).executeTakeFirst();
  }

  /** By name. */
  async list(page: PageRequest): Promise<Page<User>> {
    const after = decodeCursor(page.cursor, (name) => /^[a-z][a-z0-9_-]*$/.test(name));
    const rows = await this.#db
      .selectFrom('users')
      .select(USER)
      .$if(after !== null, (query) => query.where('name', '>', after))
      .orderBy('name')
      .limit(page.limit + 1)
      .execute();
    return pageOf(rows, page.limit, ({ name }) => name);
  }

  async setDisabled(id: string, disabled: boolean): Promise<User | undefined> {
    if (!isUuid(id)) return undefined;
    const change = this.#db.updateTable('users').set({ disabled }).where('id', '=', id).returning(USER);
    return killPoint('store.user', () => change.executeTakeFirst()).finally(this.#rightsChanged);
  }

  project(userId: string, text: string | null): Promise<{ readonly id: string; readonly name: string } | undefined> {
    const projects = this.#db
      .selectFrom('projects')
      .innerJoin('memberships', 'memberships.project_id', 'projects.id')
      .select(['projects.id', 'projects.name'])
      .where('memberships.user_id', '=', userId);
    if (text === null) return projects.where('projects.personal_of', '=', userId).executeTakeFirst();
    return projects.where(isUuid(text) ? 'projects.id' : 'projects.name', '=', text).executeTakeFirst();
  }
}

const nameTaken = (name: string, cause: unknown): ProblemError =>
  new ProblemError(
    'name-taken',
    `There is a user or a project named "${name}" already (each user has a project of her name): choose another name.`,
    {
      field: 'name',
      cause,
    },
  );
