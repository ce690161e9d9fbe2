import { ProblemError } from '@berth/contract';
import { sql, type RawBuilder } from 'kysely';
import { targetOf } from '../domain/deliveries/callback.ts';
import { isFinal } from '../domain/sessions/lifecycle.ts';
import type { Session } from '../domain/sessions/session.ts';
import type {
  NewSession,
  SessionFilter,
  SessionKind,
  SessionSelection,
  SessionStore,
  StoredEvent,
} from '../domain/sessions/session-store.ts';
import { storagesIn } from '../domain/storages/session-mounts.ts';
import { startTimeline } from '../domain/sessions/timeline.ts';
import { killPoint } from '../kill-points.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import type { Database } from './database.ts';
import { PostgresReconcilerStore } from './reconciler-store.ts';
import { holdStorages } from './hold-storages.ts';
import { newestEvent, readEvents } from './session-events.ts';
import { ancestors, stateHistory } from './session-history.ts';
import {
  assignments,
  document,
  EVENT_CHANNEL,
  FROM_SESSIONS,
  JOIN_NAMES,
  lookNow,
  notifyWake,
  SESSION_COLUMNS,
  withEvent,
} from './session-rows.ts';
import { violatedUnique } from './unavailable.ts';
import { isUuid, uuidRange } from './uuid.ts';

/** The sessions table, for requests and (inherited) for the reconciler. */
export class PostgresSessionStore extends PostgresReconcilerStore implements SessionStore {
  async create(draft: NewSession): Promise<{ session: Session; created: boolean }> {
    try {
      const session = await this.#insert(draft);
      // The statement that writes them does not see them yet.
      const seen = draft.dependencies.length === 0 && draft.callbackUrl === null;
      return { session: seen ? session : ((await this.get(session.id)) ?? session), created: true };
    } catch (error) {
      const constraint = violatedUnique(error);
      if (constraint === undefined) throw error;
      // Whichever index complained: a repeated create violates both when it also names its session.
      const earlier = draft.clientToken === null ? undefined : await this.#madeWith(draft.ownerId, draft.clientToken);
      if (earlier === undefined && constraint === 'sessions_live_name') throw nameTaken(draft.name);
      if (earlier === undefined) throw error;
      if (earlier.requestHash !== draft.requestHash) throw tokenReused(earlier.session);
      return { session: earlier.session, created: false };
    }
  }

  #insert(draft: NewSession): Promise<Session> {
    const now = new Date();
    const { callbackUrl } = draft;
    const write = async (db: Database): Promise<Session> => {
      const { rows } = await sql<Session>`
        with s as (
          insert into sessions (id, name, owner_id, project_id, type, spec, tag, starts_at, batch_timeout_ms, retry, client_token, request_hash, revision, wanted, wish, restart_wish,
            state, state_since, reason, restart_served, generation, attempts, frozen, logs_kept, timeline, restarts, last_log, created_at, next_look_at)
          values (${draft.id}, ${draft.name}, ${draft.ownerId}, ${draft.projectId}, ${draft.type}, ${document(draft.spec)}, ${draft.tag}, ${draft.startsAt},
            ${draft.batchTimeoutMs}, ${draft.retry}, ${draft.clientToken}, ${draft.requestHash}, 1, 'running', 1, 0, 'pending', ${now}, 'waiting for a place', 0, 0, 0, false, false,
            ${document(startTimeline(now, 'queue'))}, 0, '[]', ${now}, now())
          returning *
        ), follows as (
          insert into session_dependencies (session_id, depends_on) select s.id, o from s, unnest(${[...new Set(draft.dependencies)].toSorted()}::uuid[]) o
        ), calls as (
          insert into session_callbacks (session_id, owner_id, url, target)
          select id, owner_id, ${callbackUrl}::text, ${callbackUrl && targetOf(callbackUrl)}::text from s where ${callbackUrl}::text is not null
        ), event as (
          insert into session_events (session_id, owner_id, kind, state, message)
          select id, owner_id, 'created', state, 'created' from s returning session_id
        ), told as (select pg_notify(${sql.lit(EVENT_CHANNEL)}, session_id::text), ${notifyWake} from event)
        select ${SESSION_COLUMNS} from s ${JOIN_NAMES} cross join told`.execute(db);
      const [session] = rows;
      if (session === undefined) throw new Error(`session ${draft.id} was not inserted`);
      return session;
    };
    return killPoint('store.session-create', () => holdStorages(this.db, storagesIn(draft.spec), write));
  }

  async #madeWith(ownerId: string, clientToken: string): Promise<{ session: Session; requestHash: string } | undefined> {
    const { rows } = await sql<Session & { requestHash: string }>`
      select ${SESSION_COLUMNS}, s.request_hash as "requestHash" ${FROM_SESSIONS}
      where s.owner_id = ${ownerId} and s.client_token = ${clientToken}`.execute(this.db);
    if (rows[0] === undefined) return undefined;
    const { requestHash, ...session } = rows[0];
    return { session, requestHash };
  }

  async find(ownerId: string | null, text: string): Promise<Session | 'ambiguous' | undefined> {
    const owned = ownerId === null ? sql`true` : sql`s.owner_id = ${ownerId}`;
    if (isUuid(text)) return (await this.#select(sql`${owned} and s.id = ${text}`, sql`s.id`, 1))[0];
    const [named, other] = await this.#select(sql`${owned} and s.name = ${text}`, sql`(s.ended_at is null) desc, s.id desc`, 2);
    if (named !== undefined) return other !== undefined && !isFinal(other.state) ? 'ambiguous' : named;
    const range = uuidRange(text);
    if (range === undefined) return undefined;
    const [first, second] = await this.#select(sql`${owned} and s.id between ${range[0]} and ${range[1]}`, sql`s.id`, 2);
    return second === undefined ? first : 'ambiguous';
  }

  async matching(ownerId: string, text: string, { dead, limit }: { dead: boolean; limit: number }): Promise<readonly Session[]> {
    const id = text.toLowerCase();
    const among = sql`s.owner_id = ${ownerId} and ${dead ? sql`true` : sql`s.state not in ('terminated', 'cancelled')`}`;
    // Nearly always it is the whole of one, which an index finds.
    const whole = isUuid(id) ? sql`s.id = ${id}` : sql`s.name = ${text}`;
    const found = await this.#select(sql`${among} and ${whole}`, sql`(s.ended_at is null) desc, s.id desc`, limit);
    if (found.length > 0) return found;
    const byId = sql`starts_with(s.id::text, ${id})`;
    return this.#select(
      sql`${among} and (${byId} or starts_with(s.name, ${text}))`,
      sql`(s.name = ${text}) desc, ${byId} desc, (s.ended_at is null) desc, s.id desc`,
      limit,
    );
  }

  async list(filter: SessionFilter): Promise<{ items: readonly Session[]; next: string | null }> {
    const after = decodeCursor(filter.cursor);
    const conditions = [
      ...(filter.ownerId === null ? [] : [sql`s.owner_id = ${filter.ownerId}`]),
      ...(filter.projectId === null ? [] : [sql`s.project_id = ${filter.projectId}`]),
      ...(filter.states === null ? [] : [sql`s.state = any(${[...filter.states]}::text[])`]),
      ...(filter.states === null && !filter.all ? [sql`s.ended_at is null`] : []),
      ...(after === null ? [] : [sql`s.id < ${after}`]),
    ];
    // Ids are UUIDv7: their order is the order of creation.
    const rows = await this.#select(sql.join([sql`true`, ...conditions], sql` and `), sql`s.id desc`, filter.limit + 1);
    return pageOf(rows, filter.limit, ({ id }) => id);
  }

  async count(selection: SessionSelection): Promise<number> {
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from sessions s where ${selected(selection)}`.execute(
      this.db,
    );
    return rows[0]?.count ?? 0;
  }

  window(selection: SessionSelection, part: { offset: number; limit: number; oldestFirst: boolean }): Promise<readonly Session[]> {
    const order = part.oldestFirst ? sql`s.id` : sql`s.id desc`;
    return this.#select(selected(selection), sql`${order} offset ${part.offset}`, part.limit);
  }

  async #select(condition: RawBuilder<unknown>, order: RawBuilder<unknown>, limit: number): Promise<readonly Session[]> {
    const { rows } =
      await sql<Session>`select ${SESSION_COLUMNS} ${FROM_SESSIONS} where ${condition} order by ${order} limit ${limit}`.execute(this.db);
    return rows;
  }

  /** A change that answers the session it was given writes nothing. */
  async request(id: string, change: (session: Session) => Session, message: string): Promise<Session> {
    let name = '';
    const written = killPoint('store.session-request', () =>
      this.db.transaction().execute(async (transaction) => {
        const { rows } = isUuid(id)
          ? await sql<Session>`select ${SESSION_COLUMNS} ${FROM_SESSIONS} where s.id = ${id} for update of s`.execute(transaction)
          : { rows: [] };
        const [session] = rows;
        if (session === undefined) throw new ProblemError('not-found', `There is no session "${id}".`);
        const changed = change(session);
        if (changed === session) return session;
        ({ name } = changed);
        const next = { ...changed, revision: session.revision + 1 };
        const look = isFinal(next.state) ? sql.raw('next_look_at = null, woken = false') : lookNow;
        const write = sql`update sessions set ${assignments(next)}, ${look} where id = ${id} returning id, owner_id, state`;
        await sql`${withEvent(write, { kind: 'requested', message }, { wake: true })}`.execute(transaction);
        return next;
      }),
    );
    return written.catch((error: unknown) => {
      throw violatedUnique(error) === 'sessions_live_name' ? nameTaken(name) : error;
    });
  }

  async logs({ sessionId, container }: Parameters<SessionStore['logs']>[0], before = 2 ** 31 - 1): Promise<readonly Buffer[]> {
    if (!isUuid(sessionId)) return [];
    const rows = await this.db
      .selectFrom('session_logs')
      .select('log')
      .where('session_id', '=', sessionId)
      .where('container', '=', container)
      .where('generation', '<', before)
      .orderBy('generation')
      .execute();
    return rows.map(({ log }) => log);
  }

  async events(filter: Parameters<SessionStore['events']>[0]): Promise<readonly StoredEvent[]> {
    return filter.sessionId !== null && !isUuid(filter.sessionId) ? [] : readEvents(this.db, filter);
  }

  async withCommit(commitId: string): Promise<Session | undefined> {
    const [session] = await this.#select(sql`s.commit is not null and s.commit->>'id' = ${commitId}`, sql`s.id`, 1);
    return session;
  }

  latestEvent(): Promise<string | null> {
    return newestEvent(this.db);
  }

  history(sessionId: string): ReturnType<SessionStore['history']> {
    return stateHistory(this.db, sessionId);
  }

  ancestors(sessionId: string, limit: number): Promise<readonly Session[]> {
    return ancestors(this.db, sessionId, limit);
  }
}

function selected({ ownerId, projectId, kinds }: SessionSelection): RawBuilder<unknown> {
  const lacking = sql`exists (select from json_array_elements(s.subs) sub where sub->>'state' <> 'running')`;
  const ofKind = ({ states, ending, restartAsked, degraded }: SessionKind): RawBuilder<unknown> =>
    sql.join(
      [
        sql`s.state = any(${[...states]}::text[])`,
        ...(ending === undefined ? [] : [sql`(s.wanted = 'terminated') = ${ending}`]),
        ...(restartAsked === undefined ? [] : [sql`(s.restart_wish > s.restart_served) = ${restartAsked}`]),
        ...(degraded === undefined ? [] : [sql`${lacking} = ${degraded}`]),
      ],
      sql` and `,
    );
  const conditions = [
    ...(ownerId === null ? [] : [sql`s.owner_id = ${ownerId}`]),
    ...(projectId === null ? [] : [sql`s.project_id = ${projectId}`]),
    ...(kinds === null ? [] : [sql`(${sql.join([sql`false`, ...kinds.map(ofKind)], sql` or `)})`]),
  ];
  return sql.join([sql`true`, ...conditions], sql` and `);
}

const nameTaken = (name: string): ProblemError =>
  new ProblemError('name-taken', `You have a live session named "${name}": choose another name, or stop that one first.`, {
    field: 'name',
  });

const tokenReused = (session: Session): ProblemError =>
  new ProblemError(
    'token-reused',
    `The client token was used for another request, which made ${session.name} (${session.id}): use a new token for a new session.`,
    {
      field: 'clientToken',
    },
  );
