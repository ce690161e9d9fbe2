import { sql } from 'kysely';
import type { QuarantineStore, Stray } from '../domain/sessions/session-store.ts';
import { killPoint } from '../kill-points.ts';
import type { Database } from './database.ts';

export class PostgresQuarantineStore implements QuarantineStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  see(strays: readonly Stray[], now: Date): Promise<readonly (Stray & { firstSeen: Date; stoppedAt: Date | null })[]> {
    const columns = [
      strays.map((stray) => stray.sessionId),
      strays.map((stray) => stray.generation),
      strays.map((stray) => stray.container),
    ];
    return killPoint('store.quarantine', async () => {
      // The update that changes nothing makes the rows that were there come back too.
      const { rows } = await sql<Stray & { firstSeen: Date; stoppedAt: Date | null }>`
        with seen as (
          select distinct * from unnest(${columns[0]}::text[], ${columns[1]}::int[], ${columns[2]}::text[]) as t (session_id, generation, container)
        ), forgotten as (
          delete from quarantine q where not exists (select from seen where seen = (q.session_id, q.generation, q.container))
        )
        insert into quarantine as q (session_id, generation, container, first_seen)
        select session_id, generation, container, ${now} from seen order by 1, 2, 3
        on conflict (session_id, generation, container) do update set first_seen = q.first_seen
        returning session_id as "sessionId", generation, container, first_seen as "firstSeen", stopped_at as "stoppedAt"`.execute(this.#db);
      return rows;
    });
  }

  async stopped(stray: Stray, now: Date): Promise<void> {
    await killPoint('store.quarantine', () =>
      this.#db
        .updateTable('quarantine')
        .set({ stopped_at: now })
        .where('session_id', '=', stray.sessionId)
        .where('generation', '=', stray.generation)
        .where('container', '=', stray.container)
        .where('stopped_at', 'is', null)
        .execute(),
    );
  }

  async count(): Promise<number> {
    const row = await this.#db
      .selectFrom('quarantine')
      .select(({ fn }) => fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }
}
