import { sql } from 'kysely';
import type { SessionUse, UseStore } from '../domain/execution/session-uses.ts';
import { killPoint } from '../kill-points.ts';
import type { Database } from './database.ts';

export class PostgresSessionUses implements UseStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The revision stays: nothing that decides about a session depends on it. */
  async noteUses(uses: readonly SessionUse[]): Promise<void> {
    if (uses.length === 0) return;
    const ids = uses.map(({ sessionId }) => sessionId);
    const counts = uses.map(({ count }) => count);
    const times = uses.map(({ executedAt }) => executedAt?.toISOString() ?? null);
    await killPoint('store.session-uses', () =>
      sql`
        with noted as (
          select s.id, n.count, n.executed_at from sessions s
          join unnest(${ids}::uuid[], ${counts}::int[], ${times}::timestamptz[]) as n (id, count, executed_at) on n.id = s.id
          order by s.id for update of s
        )
        update sessions s set uses = s.uses + noted.count, executed_at = greatest(s.executed_at, noted.executed_at)
        from noted where s.id = noted.id`.execute(this.#db),
    );
  }
}
