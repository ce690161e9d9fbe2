import { ProblemError } from '@berth/contract';
import { setTimeout as delay } from 'node:timers/promises';
import { sql, type RawBuilder } from 'kysely';
import type { SessionStore, StoredEvent } from '../domain/sessions/session-store.ts';
import type { Database } from './database.ts';

/*
 * Order. An event's id is the id of the transaction that wrote it, then a running number. A reader is shown only what was
 * written by transactions older than every one still open: nothing can later appear before what it has seen.
 */

/** A reader waits for older transactions, so that it sees whatever was committed before it asked; but not for ever. */
const PATIENCE = { times: 100, ms: 5 };

type EventFilter = Parameters<SessionStore['events']>[0];
interface Position {
  readonly xid: string;
  readonly id: string;
}
type EventRow = StoredEvent & { readonly settled: boolean };

export async function readEvents(db: Database, filter: EventFilter): Promise<readonly StoredEvent[]> {
  const after = parseEventId(filter.after);
  let target: string | undefined;
  for (let attempt = 0; ; attempt += 1) {
    const rows = await eventRows(db, filter, { after, horizon: attempt === 0 ? OLDEST_OPEN : OLDEST_OPEN_HERE });
    target ??= rows.at(-1)?.id;
    const settled = rows.filter((row) => row.settled);
    const complete = settled.length === rows.length || settled.some(({ id }) => id === target);
    if (complete || attempt === PATIENCE.times) return settled.map(withoutMark);
    await delay(PATIENCE.ms);
  }
}

/** Cheap, but of the whole server: another database's long transaction holds it back. */
const OLDEST_OPEN = sql`pg_snapshot_xmin(pg_current_snapshot())`;
/** Leaves out transactions that are seen at work in other databases. */
const OLDEST_OPEN_HERE = sql`(
  select coalesce(min(open), pg_snapshot_xmax(pg_current_snapshot())) from pg_snapshot_xip(pg_current_snapshot()) open
  where open::xid not in (
    select l.transactionid from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted and a.datname <> current_database()
  )
)`;

async function eventRows(
  db: Database,
  filter: EventFilter,
  { after, horizon }: { after: Position; horizon: RawBuilder<unknown> },
): Promise<readonly EventRow[]> {
  const { rows } = await sql<EventRow>`
    select xid || '-' || id as id, session_id as "sessionId", owner_id as "ownerId", at, kind, state, message, xid < ${horizon} as settled
    from session_events
    where (xid, id) > (${after.xid}::xid8, ${after.id}::bigint)
      ${filter.sessionId === null ? sql`` : sql`and session_id = ${filter.sessionId}`}
      ${filter.ownerId === null ? sql`` : sql`and owner_id = ${filter.ownerId}`}
    order by session_events.xid, session_events.id limit ${filter.limit}`.execute(db);
  return rows;
}

const withoutMark = ({ id, sessionId, ownerId, at, kind, state, message }: EventRow): StoredEvent => ({
  id,
  sessionId,
  ownerId,
  at,
  kind,
  state,
  message,
});

export async function newestEvent(db: Database): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select xid || '-' || id as id from session_events where xid < ${OLDEST_OPEN_HERE}
    order by session_events.xid desc, session_events.id desc limit 1`.execute(db);
  return rows[0]?.id ?? null;
}

function parseEventId(text: string | null): Position {
  if (text === null) return { xid: '0', id: '0' };
  const [, xid, id] = /^(\d{1,18})-(\d{1,18})$/.exec(text) ?? [];
  if (xid !== undefined && id !== undefined) return { xid, id };
  throw new ProblemError(
    'invalid-field',
    `"${text}" is no id of an event: give the id of the last event you got, or none to begin at the beginning`,
    { field: 'after' },
  );
}

/**
 * Transaction ids belong to a server. Where the tables came from another one whose count was ahead (a restored dump), new
 * events would sort before old ones and old ones stay hidden: the old ones are counted as written before everything. So are the places
 * that point to them.
 */
export async function adoptForeignEvents(db: Database): Promise<void> {
  const { rows } = await sql`select 1 from session_events where xid > pg_snapshot_xmax(pg_current_snapshot()) limit 1`.execute(db);
  if (rows.length === 0) return;
  await sql`
    with numbered as (select xid, id, row_number() over (order by xid, id) as position from session_events),
    gone as (delete from session_events returning *),
    places as (
      update session_callbacks c set told_xid = '0', told_id = n.position from numbered n where (n.xid, n.id) = (c.told_xid, c.told_id)
    )
    insert into session_events (xid, id, session_id, owner_id, at, kind, state, message) overriding system value
    select '0'::xid8, n.position, g.session_id, g.owner_id, g.at, g.kind, g.state, g.message
    from gone g join numbered n using (xid, id)`.execute(db);
}
