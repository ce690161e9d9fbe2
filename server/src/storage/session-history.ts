import { sql } from 'kysely';
import type { Session, SessionState } from '../domain/sessions/session.ts';
import type { Database } from './database.ts';
import { FROM_SESSIONS, SESSION_COLUMNS } from './session-rows.ts';
import { isUuid } from './uuid.ts';

/** Each state a session was ever in, and when it came to it last; in that order. */
export async function stateHistory(db: Database, id: string): Promise<readonly { state: SessionState; at: Date }[]> {
  if (!isUuid(id)) return [];
  const { rows } = await sql<{ state: SessionState; at: Date }>`
    select state, max(at) as at from session_events where session_id = ${id} and kind in ('created', 'state')
    group by state order by max(id)`.execute(db);
  return rows;
}

/** All that a session follows, directly or not, oldest first. */
export async function ancestors(db: Database, id: string, limit: number): Promise<readonly Session[]> {
  if (!isUuid(id)) return [];
  const { rows } = await sql<Session>`
    with recursive followed as (
      select depends_on as id from session_dependencies where session_id = ${id}
      union select d.depends_on from session_dependencies d join followed f on d.session_id = f.id
    )
    select ${SESSION_COLUMNS} ${FROM_SESSIONS} where s.id in (select id from followed) order by s.id limit ${limit}`.execute(db);
  return rows;
}
