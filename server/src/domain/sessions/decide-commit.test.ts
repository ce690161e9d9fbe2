import { describe, expect, test } from 'vitest';
import { committed, newCommit } from './commit.ts';
import { decide } from './decide.ts';
import type { LifePolicy, Seen } from './decision.ts';
import { exampleSession, T0 } from './example-session.ts';
import type { Session } from './session.ts';

const MINUTE = 60_000;
const policy: LifePolicy = {
  pendingMs: MINUTE,
  pullMs: MINUTE,
  readyMs: MINUTE,
  pauseMs: MINUTE,
  restartMs: MINUTE,
  stopMs: MINUTE,
  freezeForMs: MINUTE,
  canFreeze: true,
  orchestrates: false,
  nodeLostMs: MINUTE,
};
const asked = newCommit('c1', 'localhost/berth/alice/tool:1', T0);
const started = { generation: 1, startedAt: T0, processStartedAt: T0 };
const running = exampleSession({ state: 'running', ...started, commit: asked });
const paused = exampleSession({ state: 'paused', wanted: 'paused', ...started, commit: asked });
const seen = (phase: Seen['phase'], more: Partial<Seen> = {}): Seen => ({ phase, startedAt: T0, ready: true, ...more });

const decided = (session: Session, sight: Seen, now = T0): string => {
  const decision = decide(session, sight, now, policy);
  return decision.kind === 'act' ? decision.action : decision.kind === 'move' ? decision.to : decision.kind;
};

describe('while an image is made of a session', () => {
  test.each<[string, Session, Seen, string]>([
    ['that runs, it is looked after', running, seen('running'), 'commit'],
    ['the engine holds still, nobody thaws it', running, seen('frozen'), 'commit'],
    ['that is frozen', paused, seen('frozen'), 'commit'],
    ['that is paused and stopped', { ...paused, frozen: false }, seen('exited'), 'commit'],
    ['what is wanted otherwise comes first: a pause', { ...running, wanted: 'paused' }, seen('running'), 'pausing'],
    ['a resume', { ...paused, wanted: 'running' }, seen('frozen'), 'pending'],
    ['its end', { ...running, wanted: 'terminated' }, seen('running'), 'terminating'],
    ['a restart', { ...running, restartWish: 2 }, seen('running'), 'restarting'],
    ['its process may end by itself', running, seen('exited', { exitCode: 0 }), 'terminating'],
  ])('%s', (_, session, sight, action) => expect(decided(session, sight)).toBe(action));

  test('a batch session still runs no longer than it may', () => {
    const batch: Session = { ...running, type: 'batch', batchTimeoutMs: MINUTE };
    expect(decided(batch, seen('running'))).toBe('commit');
    expect(decided(batch, seen('running'), new Date(T0.getTime() + MINUTE))).toBe('terminating');
  });

  test('its container is kept after its end until the image is there, but not for ever', () => {
    const ending = { state: 'terminated', reason: 'finished', exitCode: 0, cause: null } as const;
    const over: Session = { ...running, state: 'terminating', ending, logsKept: true };
    expect(decided(over, seen('exited'))).toBe('commit');
    expect(decided({ ...over, logsKept: false }, seen('exited'))).toBe('keep-log');
    expect(decided(over, seen('exited'), new Date(T0.getTime() + MINUTE + 1))).toBe('remove');
    expect(decided({ ...over, commit: committed(asked, 'sha256:1', T0) }, seen('exited'))).toBe('remove');
  });
});

test('when the image is there, a session that is held still is let go', () => {
  expect(decided({ ...running, commit: committed(asked, 'sha256:1', T0) }, seen('frozen'))).toBe('thaw');
});
