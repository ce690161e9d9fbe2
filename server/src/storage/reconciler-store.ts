import { sql } from 'kysely';
import { waitingText } from '../domain/scheduling/explain.ts';
import { HOLDS_CPU, isFinal } from '../domain/sessions/lifecycle.ts';
import type { Session, WaitingFor } from '../domain/sessions/session.ts';
import type { Counted, LiveSession, NewEvent, Placement, ReconcilerStore } from '../domain/sessions/session-store.ts';
import type { KeptStatistics } from '../domain/sessions/statistics.ts';
import { killPoint } from '../kill-points.ts';
import type { Database } from './database.ts';
import {
  assignments,
  document,
  EVENT_CHANNEL,
  FROM_SESSIONS,
  JOIN_NAMES,
  lookIn,
  lookNow,
  notifyWake,
  SESSION_COLUMNS,
  storable,
  withEvent,
} from './session-rows.ts';
import { countedSessions, keepStatistics } from './session-statistics.ts';
import { isUuid } from './uuid.ts';

/** Any number that nothing else in the database locks; one place() at a time in the installation. */
const PLACE_LOCK = 7_234_801_001;

export class PostgresReconcilerStore implements ReconcilerStore {
  protected readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  async get(id: string): Promise<Session | undefined> {
    if (!isUuid(id)) return undefined;
    const { rows } = await sql<Session>`select ${SESSION_COLUMNS} ${FROM_SESSIONS} where s.id = ${id}`.execute(this.db);
    return rows[0];
  }

  save(next: Session, event: NewEvent | null, lookAgainInMs: number | null): Promise<boolean> {
    const write = compareAndSet(next, lookAgainInMs);
    const statement = event === null ? write : withEvent(write, event);
    return killPoint('store.session-save', async () => {
      const { rows } = await sql`${statement}`.execute(this.db);
      return rows.length === 1;
    });
  }

  /** Oldest wish for a look first. */
  claimDue(limit: number, leaseMs: number): Promise<readonly Session[]> {
    return killPoint('store.session-claim', async () => {
      const { rows } = await sql<Session>`
        with due as (
          select id, next_look_at from sessions where next_look_at <= now() order by next_look_at limit ${limit} for update skip locked
        ), s as (
          update sessions set next_look_at = now() + ${leaseMs}::float8 * interval '1 millisecond', woken = false
          from due where sessions.id = due.id returning sessions.*, due.next_look_at as was_due
        )
        select ${SESSION_COLUMNS} from s ${JOIN_NAMES} order by s.was_due`.execute(this.db);
      return rows;
    });
  }

  async lookAgain(id: string, revision: number, inMs: number | null): Promise<void> {
    await killPoint('store.session-look-again', () =>
      sql`update sessions set ${lookIn(inMs, false)} where id = ${id} and revision = ${revision} and ended_at is null`.execute(this.db),
    );
  }

  async wake(ids: readonly string[]): Promise<void> {
    const known = ids.filter(isUuid);
    if (known.length > 0) await this.#wakeWhere(sql`id = any(${known}::uuid[])`);
  }

  wakePending(): Promise<void> {
    return this.#wakeWhere(sql`state = 'pending'`);
  }

  /** Rows of several sessions are always locked in the order of their ids: two such writers never wait for each other. */
  async #wakeWhere(condition: ReturnType<typeof sql>): Promise<void> {
    await killPoint('store.session-wake', () =>
      sql`
        with woken as (
          update sessions set ${lookNow}
          where id in (select id from sessions where ended_at is null and ${condition} order by id for update) returning 1
        )
        select ${notifyWake} where exists (select from woken)`.execute(this.db),
    );
  }

  place(decide: (picture: Placement) => readonly Session[], leaseMs: number): Promise<readonly Session[]> {
    return killPoint('store.session-place', () =>
      this.db.transaction().execute(async (transaction) => {
        await sql`select pg_advisory_xact_lock(${PLACE_LOCK}::bigint)`.execute(transaction);
        const rows = await this.#holdingOrPending(transaction);
        const pending = rows.filter(({ state }) => state === 'pending');
        const holding = rows.filter(holds);
        const answered = decide({ now: new Date(), pending, holding });
        const before = new Map(rows.map((session) => [session.id, session.state]));
        const written: Session[] = [];
        for (const next of answered.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
          const write = compareAndSet(next, leaseMs);
          const kind = before.get(next.id) !== next.state ? 'state' : next.state === 'pending' ? 'progress' : 'notice';
          const { rows: saved } = await sql`${withEvent(write, { kind, message: next.reason })}`.execute(transaction);
          if (saved.length === 1) written.push(next);
        }
        return written;
      }),
    );
  }

  async holding(): Promise<readonly Session[]> {
    return (await this.#holdingOrPending(this.db)).filter(holds);
  }

  async #holdingOrPending(db: Database): Promise<readonly Session[]> {
    const { rows } = await sql<Session>`
      select ${SESSION_COLUMNS} ${FROM_SESSIONS}
      where s.ended_at is null and (s.state = any(${[...HOLDS_CPU, 'pending']}::text[]) or s.frozen)
      order by s.created_at, s.id`.execute(db);
    return rows;
  }

  async explain(waiting: ReadonlyMap<string, WaitingFor>): Promise<void> {
    if (waiting.size === 0) return;
    const told = [...waiting].filter(([id]) => isUuid(id));
    const ids = told.map(([id]) => id);
    const documents = told.map(([, reasons]) => document(reasons));
    const messages = told.map(([, reasons]) => storable(waitingText(reasons)));
    await killPoint('store.session-explain', () =>
      sql`
        with told as (select * from unnest(${ids}::uuid[], ${documents}::text[], ${messages}::text[]) as t (id, waiting, message)),
        changed as (
          select told.* from sessions s join told using (id)
          where s.state = 'pending' and s.waiting::text is distinct from told.waiting order by s.id for update of s
        ), written as (
          update sessions s set waiting = changed.waiting::json, reason = changed.message
          from changed where s.id = changed.id returning s.id, s.owner_id, s.state, changed.message
        ), event as (
          insert into session_events (session_id, owner_id, kind, state, message)
          select id, owner_id, 'waiting', state, message from written returning session_id
        )
        select pg_notify(${sql.lit(EVENT_CHANNEL)}, session_id::text) from event`.execute(this.db),
    );
  }

  async live(): Promise<readonly LiveSession[]> {
    const { rows } = await sql<LiveSession>`
      select id, state, generation, subs, spec->'cluster' as cluster from sessions where ended_at is null`.execute(this.db);
    return rows;
  }

  async known(ids: readonly string[]): Promise<ReadonlyMap<string, Pick<Session, 'state' | 'generation'>>> {
    const { rows } = await sql<Pick<Session, 'id' | 'state' | 'generation'>>`
      select id, state, generation from sessions where id = any(${ids.filter(isUuid)}::uuid[])`.execute(this.db);
    return new Map(rows.map(({ id, ...rest }) => [id, rest]));
  }

  async keepLog({ sessionId, generation, container }: Parameters<ReconcilerStore['keepLog']>[0], log: Buffer): Promise<void> {
    await killPoint('store.session-log', () =>
      this.db
        .insertInto('session_logs')
        .values({ session_id: sessionId, container, generation, log })
        .onConflict((conflict) => conflict.columns(['session_id', 'container', 'generation']).doUpdateSet({ log }))
        .execute(),
    );
  }

  counted(): Promise<readonly Counted[]> {
    return countedSessions(this.db);
  }

  keepStatistics(kept: ReadonlyMap<string, KeptStatistics>): Promise<void> {
    return keepStatistics(this.db, kept);
  }
}

const compareAndSet = (next: Session, lookAgainInMs: number | null) => sql`
  update sessions set ${assignments(next)}, ${lookIn(lookAgainInMs, isFinal(next.state))}
  where id = ${next.id} and revision = ${next.revision - 1} returning id, owner_id, state`;

const holds = ({ state, frozen }: Session): boolean => state !== 'pending' || frozen;
