import { sql } from 'kysely';
import { latestOf, type KeptStatistics } from '../domain/sessions/statistics.ts';
import type { Counted } from '../domain/sessions/session-store.ts';
import { killPoint } from '../kill-points.ts';
import type { Database } from './database.ts';
import { isUuid } from './uuid.ts';

/** The sessions that run, with what was kept of each so far. */
export async function countedSessions(db: Database): Promise<readonly Counted[]> {
  const { rows } = await sql<Counted>`
    select id, generation, process_started_at as "processStartedAt", statistics from sessions
    where state = 'running' and ended_at is null`.execute(db);
  return rows;
}

/** In one statement for many. What somebody counted later stays. The revision stays, too: nothing is decided by these figures. */
export async function keepStatistics(db: Database, kept: ReadonlyMap<string, KeptStatistics>): Promise<void> {
  const known = [...kept].filter(([id]) => isUuid(id));
  if (known.length === 0) return;
  const ids = known.map(([id]) => id);
  const documents = known.map(([, statistics]) => JSON.stringify(statistics));
  const times = known.map(([, statistics]) => latestOf(statistics));
  await killPoint('store.session-statistics', () =>
    sql`
      with given as (select * from unnest(${ids}::uuid[], ${documents}::text[], ${times}::text[]) as t (id, statistics, at)),
      older as (
        select s.id, given.statistics from sessions s join given using (id)
        where given.at > coalesce((select max(value ->> 'at') from json_each(s.statistics)), '') order by s.id for update of s
      )
      update sessions s set statistics = older.statistics::json from older where s.id = older.id`.execute(db),
  );
}
