import { expect, test } from 'vitest';
import { exampleSession } from '../../domain/sessions/example-session.ts';
import { isDegraded } from '../../domain/sessions/container-view.ts';
import { TRANSITIONS } from '../../domain/sessions/lifecycle.ts';
import type { SessionKind } from '../../domain/sessions/session-store.ts';
import type { Session, SessionState } from '../../domain/sessions/session.ts';
import { statusOf } from './session-status.ts';
import { kindsOf } from './status-kinds.ts';

function is(session: Session, kind: SessionKind): boolean {
  const { state, wanted, restartWish, restartServed } = session;
  const facts = { ending: wanted === 'terminated', restartAsked: restartWish > restartServed, degraded: isDegraded(session) };
  const asked = (['ending', 'restartAsked', 'degraded'] as const).filter((fact) => kind[fact] !== undefined);
  return kind.states.includes(state) && asked.every((fact) => kind[fact] === facts[fact]);
}

const STATUSES = 'PENDING,SCHEDULED,PULLING,PREPARING,RUNNING,RESTARTING,SUSPENDED,TERMINATING,TERMINATED,CANCELLED,ERROR'.split(',');
const sessions = (Object.keys(TRANSITIONS) as SessionState[]).flatMap((state) =>
  (['running', 'paused', 'terminated'] as const).flatMap((wanted) =>
    [0, 1].map((restartWish) => exampleSession({ state, wanted, restartWish })),
  ),
);

test.each(sessions.map((session) => [session.state, session.wanted, session.restartWish, session] as const))(
  'a session that is %s, wanted %s (restart asked: %d) is found by the status it shows, and by no other',
  (_state, _wanted, _restart, session) => {
    const fitting = STATUSES.filter((status) => kindsOf(status)?.some((kind) => is(session, kind)));
    expect(fitting).toEqual([statusOf(session)]);
  },
);

test('one that lacks a container is found by its own status, and by the one that all clients know', () => {
  const sub = { name: 'sub1', state: 'ended', startedAt: null, exitCode: 1, reason: null } as const;
  const degraded = exampleSession({ state: 'running', subs: [sub] });
  expect(statusOf(degraded)).toBe('RUNNING_DEGRADED');
  const fitting = [...STATUSES, 'RUNNING_DEGRADED'].filter((status) => kindsOf(status)?.some((kind) => is(degraded, kind)));
  expect(fitting).toEqual(['RUNNING', 'RUNNING_DEGRADED']);
});

test('none, one, several, and what is no status', () => {
  expect(kindsOf(undefined)).toBeNull();
  expect(kindsOf(' ')).toBeNull();
  expect(kindsOf('running')).toEqual(kindsOf('RUNNING'));
  expect(kindsOf('TERMINATED, ERROR')).toEqual([{ states: ['terminated'] }, { states: ['error'] }]);
  expect(() => kindsOf('RUNNING,nonsense')).toThrow('"nonsense" is no status');
  expect(() => kindsOf('__proto__')).toThrow('no status');
});
