import { sql } from 'kysely';
import type { CallbackClaim, CallbackStore, ClaimWish, Note } from '../domain/deliveries/callback-store.ts';
import { killPoint } from '../kill-points.ts';
import type { Database } from './database.ts';
import { storable } from './session-rows.ts';
import { isUuid } from './uuid.ts';

/** What is told at all begins with one of these: the rest of a session's events wakes nobody. */
const TELLING_KINDS = sql.raw(`('created', 'state')`);

const FREE = sql.raw('(c.claimed_until is null or c.claimed_until < now())');

export class PostgresCallbackStore implements CallbackStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  claim({ sessionIds, limit, leaseMs, without }: ClaimWish): Promise<readonly CallbackClaim[]> {
    const among = sessionIds === null ? sql`` : sql`and c.session_id = any(${sessionIds.filter(isUuid)}::uuid[])`;
    return killPoint('store.callback-claim', async () => {
      const { rows } = await sql<CallbackClaim>`
        with of_each_owner as (
          select distinct on (c.owner_id) c.session_id, c.target from session_callbacks c
          where not c.done and ${FREE} ${among}
            and c.target <> all(${[...without.targets]}::text[]) and c.owner_id <> all(${[...without.owners]}::uuid[])
            and exists (
              select from session_events e
              where e.session_id = c.session_id and (e.xid, e.id) > (c.told_xid, c.told_id) and e.kind in ${TELLING_KINDS}
            )
          order by c.owner_id, c.session_id
        ), of_each_target as (
          select distinct on (target) session_id from of_each_owner order by target, session_id limit ${limit}
        ), due as (
          select c.session_id from session_callbacks c
          where c.session_id in (select session_id from of_each_target) and ${FREE} for update skip locked
        )
        update session_callbacks c set claim = gen_random_uuid(), claimed_until = ${inMs(leaseMs)}
        from due where c.session_id = due.session_id
        returning c.claim as id, c.session_id as "sessionId", c.owner_id as "ownerId", c.url, c.target, c.told_xid || '-' || c.told_id as after`.execute(
        this.#db,
      );
      return rows;
    });
  }

  note({ id, sessionId }: CallbackClaim, { outcome, upTo, over, leaseMs }: Note): Promise<boolean> {
    const [xid, position] = upTo?.split('-') ?? [];
    const moved = upTo === null ? sql`` : sql`, told_xid = ${xid}::xid8, told_id = ${position}::bigint`;
    const told =
      outcome === null
        ? sql``
        : sql`, last_at = now(), last_status = ${outcome.status}, last_problem = ${outcome.problem && storable(outcome.problem)},
            failures = failures + ${Number(outcome.problem !== null)}`;
    return killPoint('store.callback', async () => {
      const { rows } = await sql`
        update session_callbacks set claimed_until = ${inMs(leaseMs)}, done = done or ${over} ${told} ${moved}
        where session_id = ${sessionId} and claim = ${id} returning session_id`.execute(this.#db);
      return rows.length === 1;
    });
  }

  async giveBack({ id, sessionId }: CallbackClaim): Promise<void> {
    await killPoint('store.callback', () =>
      sql`update session_callbacks set claim = null, claimed_until = null where session_id = ${sessionId} and claim = ${id}`.execute(
        this.#db,
      ),
    );
  }
}

const inMs = (ms: number) => sql`now() + ${ms}::float8 * interval '1 millisecond'`;
