import { describe, expect, test } from 'vitest';
import { EXAMPLE_SPEC, exampleSession, T0 } from '../sessions/example-session.ts';
import type { Dependency, Session, SessionState } from '../sessions/session.ts';
import { waitingText } from './explain.ts';
import type { NodeCapacity } from './node-directory.ts';
import { runQueue, type QueueOutcome, type QueuePolicy } from './queue.ts';

const GIB = 1024 ** 3;
const later = (minutes: number): Date => new Date(T0.getTime() + minutes * 60_000);
const NODE: NodeCapacity = { name: 'n1', cpu: 2, memoryBytes: 8 * GIB, devices: [], reachable: true, unreachableSince: null, reason: '' };
const POLICY: QueuePolicy = {
  unreservedMemoryShare: 0.5,
  agingMs: 300_000,
  freezeNoticeMs: 60_000,
  sessionsPerUser: 2,
  order: 'fifo',
  orchestrates: false,
};
const asking = (id: string, changes: Partial<Session> = {}, cpu = 1): Session =>
  exampleSession({ id, name: id, spec: { ...EXAMPLE_SPEC, cpu }, ...changes });
const running = (id: string, changes: Partial<Session> = {}, cpu = 0): Session =>
  asking(id, { state: 'running', generation: 1, grant: { node: 'n1', cpus: 1, memoryBytes: GIB, devices: [] }, ...changes }, cpu);
const follows = (name: string, state: SessionState, result: Dependency['result'] = null): Dependency => ({
  id: name,
  name,
  state,
  result,
  endedAt: null,
});
const ids = ({ moved }: QueueOutcome): string[] => moved.map(({ id }) => id);

describe.each([
  ['on an engine', POLICY],
  ['on a cluster', { ...POLICY, orchestrates: true }],
])('what holds a session back %s', (_, policy) => {
  const run = (pending: Session[], holding: Session[] = [], now = T0): QueueOutcome => runQueue({ now, pending, holding }, [NODE], policy);

  test('it starts when its time has come', () => {
    const one = asking('a', { startsAt: later(5) });
    expect(run([one]).waiting.get('a')).toMatchObject({ holds: [{ rule: 'starts-at', reason: 'starts at 2026-01-01T00:05:00.000Z' }] });
    expect(ids(run([one], [], later(5)))).toEqual(['a']);
    expect(ids(run([asking('a', { startsAt: later(-5) })]))).toEqual(['a']);
  });

  test('it starts when all that it follows have succeeded', () => {
    const done = follows('prep', 'terminated', 'success');
    const one = (second: Dependency): Session => asking('a', { dependencies: [done, second] });
    expect(run([one(follows('train', 'running'))]).waiting.get('a')?.holds).toEqual([
      { rule: 'dependencies', reason: 'follows train (running)' },
    ]);
    expect(ids(run([one(follows('train', 'terminated', 'failure'))]))).toEqual([]);
    expect(ids(run([one(follows('train', 'terminated', 'success'))]))).toEqual(['a']);
  });

  test('no user has more at work than the limit, oldest first, and others are not held up', () => {
    const pending = [asking('a', {}, 0), asking('b', {}, 0), asking('c', { ownerId: 'u2' }, 0)];
    const outcome = run(pending, [running('x')]);
    expect(ids(outcome)).toEqual(['a', 'c']);
    expect(outcome.waiting.get('b')?.holds).toEqual([
      { rule: 'session-limit', reason: 'you have 2 sessions at work, and nobody may have more than 2 at a time' },
    ]);
  });

  test('what is being ended still counts, what is paused does not', () => {
    expect(ids(run([asking('a', {}, 0)], [running('x'), running('y', { state: 'terminating' })]))).toEqual([]);
    expect(ids(run([asking('a', {}, 0)], [running('x'), running('y', { state: 'paused', frozen: true })]))).toEqual(['a']);
  });

  test("who is held back is at the end of the queue and in nobody's way", () => {
    const pending = [asking('early', { startsAt: later(60), stateSince: later(-60) }, 2), asking('a'), asking('b')];
    const outcome = run(pending);
    expect(ids(outcome)).toEqual(['a', 'b']);
    expect(outcome.waiting.get('early')).toMatchObject({ position: 3, of: 3 });
  });

  test('more than a few sessions that it follows are counted', () => {
    const dependencies = ['a1', 'a2', 'a3', 'a4', 'a5'].map((name) => follows(name, 'pending'));
    expect(run([asking('a', { dependencies })]).waiting.get('a')?.holds?.[0]?.reason).toBe(
      'follows a1 (pending), a2 (pending), a3 (pending), 2 more',
    );
  });
});

test('every reason is told together, those of the nodes too', () => {
  const one = asking('a', { startsAt: later(5), dependencies: [follows('prep', 'running')] }, 2);
  const { waiting } = runQueue({ now: T0, pending: [one], holding: [running('x', {}, 1), running('y')] }, [NODE], POLICY);
  expect(waitingText(waiting.get('a') ?? { position: 0, of: 0, reasons: [] })).toBe(
    'waiting: starts at 2026-01-01T00:05:00.000Z; follows prep (running); ' +
      'you have 2 sessions at work, and nobody may have more than 2 at a time; needs 2 CPUs, 1 free of 2 (in use by your session x) on n1',
  );
});

test('one that the cluster places already counts', () => {
  const placing = asking('x', { generation: 1, grant: { node: '', cpus: 1, memoryBytes: GIB, devices: [] } });
  const outcome = runQueue({ now: T0, pending: [placing, asking('a')], holding: [running('y')] }, [NODE], {
    ...POLICY,
    orchestrates: true,
  });
  expect([...outcome.waiting.keys()]).toEqual(['a']);
});

test('newest first, on a cluster that has room for one of each user only', () => {
  const policy: QueuePolicy = { ...POLICY, sessionsPerUser: 1, order: 'lifo', orchestrates: true };
  expect(ids(runQueue({ now: T0, pending: [asking('a'), asking('b')], holding: [] }, [NODE], policy))).toEqual(['b']);
});
