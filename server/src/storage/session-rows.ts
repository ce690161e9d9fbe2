import { sql, type RawBuilder } from 'kysely';
import type { Session } from '../domain/sessions/session.ts';
import type { NewEvent } from '../domain/sessions/session-store.ts';
import { isFinal } from '../domain/sessions/lifecycle.ts';
import { resultOf } from '../domain/sessions/result.ts';

/** A dependency as it is now, oldest first. */
const DEPENDENCIES = `(
  select coalesce(json_agg(json_build_object('id', o.id, 'name', o.name, 'state', o.state, 'result', o.result, 'endedAt', o.ended_at) order by o.id), '[]')
  from session_dependencies d join sessions o on o.id = d.depends_on where d.session_id = s.id)`;

const CALLBACK = `(
  select json_build_object('url', c.url, 'lastStatus', c.last_status, 'lastProblem', c.last_problem, 'lastAt', c.last_at, 'failures', c.failures)
  from session_callbacks c where c.session_id = s.id)`;

/** Columns named as Session's fields, so that a row is a Session. Goes with FROM_SESSIONS, or with a relation `s` and JOIN_NAMES. */
export const SESSION_COLUMNS = sql.raw(`
  s.id, s.name, s.owner_id as "ownerId", u.name as "ownerName", s.project_id as "projectId", p.name as "projectName", s.type, s.spec,
  s.tag, s.starts_at as "startsAt", s.batch_timeout_ms as "batchTimeoutMs", s.retry, ${DEPENDENCIES} as dependencies,
  s.revision, s.wanted, s.wish, s.restart_wish as "restartWish", s.state, s.state_since as "stateSince", s.reason,
  s.restart_served as "restartServed", s.generation, s.attempts, s.granted as "grant", s.image_digest as "imageDigest", s.image_ports as "imagePorts",
  s.process_started_at as "processStartedAt", s.subs, s.frozen, s.will_stop_at as "willStopAt", s.ending, s.logs_kept as "logsKept",
  s.waiting, s.timeline, s.restarts, s.last_log as "lastLog", s.statistics, s.commit, s.uses, s.executed_at as "executedAt", ${CALLBACK} as callback, s.created_at as "createdAt", s.started_at as "startedAt", s.ended_at as "endedAt"`);
export const JOIN_NAMES = sql.raw('join users u on u.id = s.owner_id join projects p on p.id = s.project_id');
export const FROM_SESSIONS = sql`from sessions s ${JOIN_NAMES}`;

export const WAKE_CHANNEL = 'berth_wake';
export const EVENT_CHANNEL = 'berth_event';
export const notifyWake = sql.raw(`pg_notify('${WAKE_CHANNEL}', '')`);

/** Everything that may change after the creation, as assignments; but for the statistics, which session-statistics.ts writes. */
export function assignments(next: Session): RawBuilder<unknown> {
  return sql`
    name = ${next.name}, result = ${resultOf(next)}, revision = ${next.revision}, wanted = ${next.wanted}, wish = ${next.wish}, restart_wish = ${next.restartWish},
    state = ${next.state}, state_since = ${next.stateSince}, reason = ${storable(next.reason)}, restart_served = ${next.restartServed},
    generation = ${next.generation}, attempts = ${next.attempts}, granted = ${document(next.grant)}, image_digest = ${next.imageDigest}, image_ports = ${document(next.imagePorts)},
    process_started_at = ${next.processStartedAt}, subs = ${document(next.subs)}, frozen = ${next.frozen}, will_stop_at = ${next.willStopAt},
    ending = ${document(next.ending)}, logs_kept = ${next.logsKept}, waiting = ${document(next.waiting)},
    timeline = ${document(next.timeline)}, restarts = ${next.restarts}, last_log = ${document(next.lastLog)}, commit = ${document(next.commit)},
    started_at = ${next.startedAt}, ended_at = ${isFinal(next.state) ? (next.endedAt ?? next.stateSince) : null}`;
}

/** When to look next, as assignments. A look somebody asked for since the claim stays; what has ended is not looked at. */
export function lookIn(ms: number | null, final: boolean): RawBuilder<unknown> {
  if (final) return sql`next_look_at = null, woken = false`;
  const then = sql`now() + ${ms}::float8 * interval '1 millisecond'`;
  return sql`next_look_at = case when woken then least(next_look_at, ${then}) else ${then} end`;
}

export const lookNow = sql.raw('next_look_at = now(), woken = true');

/** A statement that runs `write` (an update of sessions that returns id, owner_id and state), records the event of each row, tells listeners. */
export function withEvent(write: RawBuilder<unknown>, event: NewEvent, options = { wake: false }): RawBuilder<unknown> {
  return sql`
    with written as (${write}),
    event as (
      insert into session_events (session_id, owner_id, kind, state, message)
      select id, owner_id, ${event.kind}, state, ${storable(event.message)} from written returning session_id
    )
    select pg_notify(${sql.lit(EVENT_CHANNEL)}, session_id::text) ${options.wake ? sql`, ${notifyWake}` : sql``} from event`;
}

export const document = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

/** Text columns cannot hold NUL, which what programs and engines say may contain. */
export const storable = (text: string): string => text.replaceAll('\0', '\uFFFD');
